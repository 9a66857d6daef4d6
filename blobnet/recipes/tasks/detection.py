"""Train a detector; mean average precision on all test images, and a picture of what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.errors import DataError, close_matches
from blobnet.proto.storage import atomic_write
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import TRAINING, Option
from blobnet.recipes.testing import net_in_test, pictures
from blobnet.recipes.training import train
from blobnet.recipes.trial import Trial
from blobnet.solvers.average_precision import VERSIONS, average_precisions
from blobnet.view.boxes import plot_boxes

SHOWN = 12  # test images in the picture

OPTIONS = TRAINING | {
    "images": Option(str, "data"),           # blobs in TEST: images
    "truth": Option(str, "label"),           # true boxes, as MultiBoxLoss takes them
    "found": Option(str, "detection_out"),   # boxes that were found, as DetectionOutput gives them
    "score": Option(str, "detection_eval"),  # which of them are right, as DetectionEvaluate says
    "version": Option(str, "11point"),       # of average precision: 11point, MaxIntegral, Integral
    "classes": Option(str),                  # their names, from 1 on
    "least": Option(float, 0.5),             # the picture shows boxes that score more
}
MEASURES = ("mAP", "AP N")


def check(trial: Trial) -> None:
    """Raise the errors of the version, of the blobs and of the number of test images."""
    options = trial.options
    if options["version"] not in VERSIONS:
        raise DataError(trial.where, f"unknown version {options['version']!r} of average precision",
                        hint=close_matches(options["version"], VERSIONS))
    net_in_test(trial, trial_solver(trial).net_param, None, *_blobs(trial))


def run(trial: Trial) -> dict[str, float]:
    """Train, then mAP and, of every class k, AP k.

    Leaves detections.npz: found (D, 7) and truth (G, 8), rows as in the blobs, with images numbered through the whole
    test; images (12, 3, H, W), the first ones, as the net reads them.
    """
    param = trial_solver(trial)
    weights = train(trial, param)
    net, batches = net_in_test(trial, param.net_param, weights, *_blobs(trial))
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("images", "truth", "found", "score")}
    for batch in range(batches):
        net.forward()
        for name, parts in rows.items():
            values = np.array(to_host(net.blobs[trial.options[name]].data))
            if name == "images":
                parts += [values] if batch * len(values) < SHOWN else []
                continue
            values = values.reshape(-1, values.shape[-1])
            if name != "score":
                values = values[values[:, 1] != -1]  # rows of images without a box
                values[:, 0] += batch * net.blobs[trial.options["images"]].shape[0]
            parts.append(values)
    made: dict[str, Any] = {name: np.concatenate(parts) for name, parts in rows.items()}
    found = average_precisions(made.pop("score"), trial.options["version"])
    with atomic_write(trial.out / "detections.npz") as file:
        np.savez_compressed(file, images=made.pop("images")[:SHOWN], **made)
    return {"mAP": sum(found.values()) / len(found)} | {f"AP {label}": value for label, value in found.items()}


def footnote(options: dict) -> str:
    """What is measured."""
    names = ", ".join(f"{i} {name}" for i, name in enumerate(options["classes"].split(), 1))
    return (f"Average precision ({options['version']}) over all test images of boxes that overlap a true one of their "
            f"class by half or more, in intersection / union. Classes: {names}.")


def report(finished: Sequence[tuple[Trial, Mapping[str, float]]], out: Path) -> None:
    """Draw what every trial finds in the first test images into boxes.png beside its detections.npz."""
    for trial, _ in finished:
        path = trial.out / "detections.npz"
        if path.exists():
            with np.load(path) as kept:
                found = kept["found"][kept["found"][:, 2] > trial.options["least"]]
                plot_boxes(pictures(kept["images"]), kept["truth"][:, [0, 1, 3, 4, 5, 6]], found,
                           trial.options["classes"].split(), trial.out / "boxes.png")


def _blobs(trial: Trial) -> list[str]:
    return [trial.options[name] for name in ("images", "truth", "found", "score")]
