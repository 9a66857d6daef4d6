"""Time on a page: the training of a net, with pictures of a small batch at some of its steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.explain.curves import Series, Training
from blobnet.explain.pairs import see_pairs
from blobnet.explain.payload import Pack, share
from blobnet.explain.pictures import histogram_row, picture
from blobnet.explain.stage import Stage
from blobnet.explain.training import explained_solver, record

FRAME = 40_000  # numbers of all pictures of a frame
Updates = dict[tuple[int, int], np.ndarray]  # by layer and parameter


class Film:
    """Trains by a solver and takes a frame of a stage at some steps; the stage ends with the last weights.

    training: what was recorded; updates: the last update of every parameter. options: as for `explained_solver`.
    """

    def __init__(self, stage: Stage, solver: str | os.PathLike, steps: int, **options):
        self.stage, self.solver = stage, explained_solver(solver, **options)
        self.training: Training = record(self.solver, steps, self._frame)
        self.updates: Updates = {}
        for index, scene in stage.scenes.items():
            for number, blob in enumerate(self.solver.net.params.get(scene.node.layer.name, [])):
                self.updates[index, number] = np.array(to_host(blob.diff), float)

    def _frame(self, step: int) -> dict[str, Any]:
        copy_parameters(self.solver.net, self.stage.net)
        loss = self.stage.run()
        arrays: dict[tuple[str, str, str], np.ndarray] = {}
        for number, value in enumerate(self.stage.values):
            arrays["values", str(number), "data"] = value.data
            if value.diff is not None:
                arrays["values", str(number), "diff"] = value.diff
        for index, scene in self.stage.scenes.items():
            for number, diff in enumerate(scene.param_diffs):
                arrays["params", f"{index}.{number}", "data"] = scene.node.layer.blobs[number].data
                arrays["params", f"{index}.{number}", "diff"] = diff
        most = share([array.shape for array in arrays.values()], FRAME)
        return {"step": step, "loss": float(loss), "pairs": see_pairs(self.stage.net),
                "arrays": {key: (array.shape, picture(array, most), histogram_row(array))
                           for key, array in arrays.items()}}

    def row(self, pack: Pack) -> dict[str, Any]:
        """What the page says of the training."""
        training = self.training
        return {"steps": training.steps, "loss": training.loss, "rate": training.rate, "stopped": training.stopped,
                "outputs": training.outputs | {f"test {name}": curve for name, curve in training.tests.items()},
                "gradient_norms": self._series(training.gradient_norms),
                "update_ratios": self._series(training.update_ratios),
                "frames": [_frame_row(frame, pack) for frame in training.frames]}

    def _series(self, series: Sequence[Series]) -> list[dict[str, Any]]:
        """Numbers of the parameters by step, under the layers of the stage that have the same names."""
        indices = {scene.node.layer.name: index for index, scene in self.stage.scenes.items()}
        layers = self.solver.net.layers
        return [{"layer": indices.get(layers[one.layer].name), "param": one.param, "values": one.values,
                 "name": f"{layers[one.layer].name} {layers[one.layer].param_name(one.param)}"} for one in series]


def copy_parameters(source: Net, target: Net) -> None:
    """Give the layers of `target` the parameters of layers of the same names and shapes."""
    for name, blobs in target.params.items():
        for blob, other in zip(blobs, source.params.get(name, [])):
            blob.data[...] = to_host(other.data).reshape(blob.shape)


def _frame_row(frame: Mapping[str, Any], pack: Pack) -> dict[str, Any]:
    row: dict[str, Any] = {"step": frame["step"], "loss": frame["loss"], "values": {}, "params": {},
                           "value_histograms": {}}
    for (kind, key, which), (shape, shown, counts) in frame["arrays"].items():
        row[kind].setdefault(key, {"data": None, "diff": None})[which] = pack.picture(shown, shape)
        if kind == "values":
            row["value_histograms"].setdefault(key, {"data": None, "diff": None})[which] = counts
        else:
            row[kind][key].setdefault("histogram", {"data": None, "diff": None})[which] = counts
    return row
