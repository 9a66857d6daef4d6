"""Event files for TensorBoard. They need tensorboardX: pip install 'blobnet[tensorboard]'."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.core.parameters import Parameter
from blobnet.errors import SolverError
from blobnet.optional import require_library
from blobnet.solvers.schedule import is_due
from blobnet.solvers.solver import Solver
from blobnet.solvers.tested import named


class TensorBoard:
    """Writes what a training does to an event file in `folder`, which `tensorboard --logdir FOLDER` shows.

        with TensorBoard("events") as board, solver.watched_by(board):
            solver.solve()

    Scalars: train/loss, train/smoothed_loss, train/rate and outputs/OUTPUT every `every` iterations (the solver's
    `display` if it is not given, 1 if that is 0), test/OUTPUT at every test; #1 is added to the outputs of the second
    test net. Every `histograms` iterations, if that is not 0, histograms parameters/LAYER/NUMBER and
    gradients/LAYER/NUMBER, and with `images` a picture of filters/LAYER of each layer whose filters have one or three
    channels, from its smallest number, black, to its largest. Iterations are counted as in the log.
    A resumed run opens a new file, and TensorBoard hides what older ones have of later iterations. Call `close` at the
    end, or use it in a with block. MissingLibrary without tensorboardX, SolverError for images without histograms.
    """

    def __init__(self, folder: str | os.PathLike, every: int = 0, histograms: int = 0, images: bool = False):
        self.folder, self.every, self.histograms, self.images = os.fspath(folder), every, histograms, images
        if images and not histograms:
            raise SolverError("TensorBoard", "images are written every `histograms` iterations, which is 0",
                              hint="give both: histograms=500, images=True")
        self._writer: Any = None
        self._make = require_library("tensorboardX", "TensorBoard", "event files need tensorboardX",
                                     "'blobnet[tensorboard]'").SummaryWriter

    def begin_watching(self, solver: Solver) -> None:
        """Ask for gradients only if they are wanted: a GPU would have to wait for who watches them."""
        if self.histograms:
            known = weakref.ref(solver)  # a callback does not keep its solver
            self.gradients_ready = lambda iteration, loss: self._gradients(known(), iteration)

    def after_iteration(self, solver: Solver) -> None:
        """Write the scalars and pictures of the iteration, if they are due."""
        iteration = solver.iter - 1
        if is_due(iteration, self.every or solver.param.display or 1):
            self._scalar("train/loss", solver.loss, iteration)
            self._scalar("train/smoothed_loss", solver.smoothed_loss, iteration)
            self._scalar("train/rate", solver.rate, iteration)
            for name in solver.net.outputs:
                self._scalar(f"outputs/{name}", to_host(solver.net.blobs[name].data), iteration)

    def after_test(self, solver: Solver, results: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Write the outputs of the test."""
        for name, value in named(results).items():
            self._scalar(f"test/{name}", value, solver.iter)

    def close(self) -> None:
        """Write what is left, and close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _gradients(self, solver: Solver | None, iteration: int) -> None:
        if solver is None or not is_due(iteration, self.histograms):
            return
        for name, parameter in _numbered(solver):
            data, diff = to_host(parameter.blob.data), to_host(parameter.blob.diff)
            if not (np.isfinite(data).all() and np.isfinite(diff).all()):  # there is no histogram of such numbers
                continue
            self._at(iteration).add_histogram(f"parameters/{name}", data, iteration)
            self._at(iteration).add_histogram(f"gradients/{name}", diff, iteration)
            if self.images and data.ndim == 4 and data.shape[1] in (1, 3):
                self._at(iteration).add_image(f"filters/{name}", mosaic(data), iteration)

    def _scalar(self, tag: str, value: float | np.ndarray, iteration: int) -> None:
        """One curve, or one for each element of an output that has several."""
        numbers = np.reshape(value, -1).tolist()
        for i, number in enumerate(numbers):
            self._at(iteration).add_scalar(tag if len(numbers) == 1 else f"{tag}/{i}", number, iteration)

    def _at(self, iteration: int) -> Any:
        """The writer, opened at the first iteration that has something to write."""
        if self._writer is None:
            self._writer = self._make(self.folder, purge_step=iteration, flush_secs=10,
                                      filename_suffix=f".{os.getpid()}.{iteration}")
        return self._writer


def mosaic(filters: np.ndarray) -> np.ndarray:
    """Filters (K, C, R, S) beside each other: a picture (C, height, width) in [0, 1], with lines between them."""
    count, channels, height, width = filters.shape
    low, high = float(filters.min()), float(filters.max())
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    tiles = np.ones((rows * columns, channels, height + 1, width + 1), np.float32)
    tiles[:count, :, :-1, :-1] = (filters - low) / ((high - low) or 1)
    tiles = tiles.reshape(rows, columns, channels, height + 1, width + 1).transpose(2, 0, 3, 1, 4)
    return tiles.reshape(channels, rows * (height + 1), columns * (width + 1))


def _numbered(solver: Solver) -> Iterator[tuple[str, Parameter]]:
    """The parameters as LAYER/0, LAYER/1 …"""
    counts: dict[str, int] = {}
    for parameter in solver.net.parameters:
        name = parameter.layer.name
        counts[name] = counts.get(name, -1) + 1
        yield f"{name}/{counts[name]}", parameter
