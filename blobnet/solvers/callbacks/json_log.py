"""A log for programs: one JSON object a line."""

from __future__ import annotations

import itertools
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from blobnet.backend import to_host
from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write
from blobnet.solvers.schedule import is_due
from blobnet.solvers.solver import Solver
from blobnet.solvers.tested import named


class JsonLog:
    """Writes a line for every displayed iteration, for every test and for every snapshot to the file `path`.

        {"iteration": 100, "time": 1764485297.12, "loss": 0.7, "smoothed_loss": 0.8, "rate": 0.01, "outputs": {...}}
        {"iteration": 500, "time": 1764485391.3, "test": {"accuracy": 0.91, "loss": 0.31}}
        {"iteration": 500, "time": 1764485391.4, "snapshot": "run_iter_500.solverstate"}

    Iterations are counted as in the log: the loss is that before the update, the rate that of the update. time: seconds
    since 1970; outputs of several elements are lists; what is not finite is null; #1 is added to the outputs of the
    second test net. every: how many iterations there are from one line to the next, the solver's `display` if it is not
    given, 1 if that is 0. Of processes that train together the first one should write it: its outputs are its own.
    A run that goes on from a snapshot drops the lines of later iterations, which a run that was killed may have left,
    and appends: so the file is that of a run that was not interrupted, but for the times, and for smoothed losses,
    whose mean begins anew. A run from iteration 0 begins the file anew. DataError, before anything is written, for a
    file of other things.
    """

    def __init__(self, path: str | os.PathLike, every: int = 0):
        self.path, self.every = Path(path), every
        self._last: int | None = None  # iteration of the last line

    def begin_watching(self, solver: Solver) -> None:
        """See whether the file can be written."""
        if not self.path.parent.is_dir():
            raise DataError(str(self.path), f"there is no folder {str(self.path.parent)!r}", hint="create it first")
        self._lines()

    def after_iteration(self, solver: Solver) -> None:
        """Write the line of the iteration, if it is due."""
        iteration = solver.iter - 1
        if is_due(iteration, self.every or solver.param.display or 1):
            outputs = {name: to_host(solver.net.blobs[name].data) for name in solver.net.outputs}
            self._write(iteration, {"loss": solver.loss, "smoothed_loss": solver.smoothed_loss, "rate": solver.rate,
                                    "outputs": _plain(outputs)})

    def after_test(self, solver: Solver, results: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Write the line of the test."""
        self._write(solver.iter, {"test": _plain(named(results))})

    def after_snapshot(self, iteration: int, weights: str, state: str) -> None:
        """Write the line of the snapshot."""
        self._write(iteration, {"snapshot": state})

    def _write(self, iteration: int, values: dict) -> None:
        if self._last is None or iteration < self._last:
            self._drop(iteration)
        self._last = iteration
        found = {"iteration": iteration, "time": round(time.time(), 3), **values}
        line = json.dumps({name: _finite(value) for name, value in found.items()}, ensure_ascii=False) + "\n"
        with open(self.path, "ab") as file:
            file.write(line.encode("utf-8", "surrogateescape"))

    def _drop(self, iteration: int) -> None:
        """Leave what a run has written when it comes to `iteration`: its snapshot is such a thing, its test is not."""
        kept = itertools.takewhile(lambda line: line["iteration"] < iteration
                                   or line["iteration"] == iteration > 0 and "snapshot" in line, self._lines())
        with atomic_write(self.path) as file:
            for line in kept:
                file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n")

    def _lines(self) -> list[dict]:
        """The lines that are there; one that a kill cut off is left out."""
        text = self.path.read_bytes() if self.path.exists() else b""
        found = []
        for number, line in enumerate(text.split(b"\n")[:-1], 1):
            try:
                found.append(json.loads(line))
                int(found[-1]["iteration"])
            except (ValueError, TypeError, KeyError):
                raise DataError(f"{self.path}:{number}", expected="an object with an iteration, as this log has",
                                got=repr(line[:40].decode("utf-8", "replace")), hint="choose another file") from None
        if text and not found and not text.startswith(b'{"iteration"'):
            raise DataError(str(self.path), expected="a log of JSON objects", got="something else",
                            hint="choose another file")
        return found


def _plain(outputs: Mapping[str, np.ndarray]) -> dict[str, object]:
    return {name: _finite(value.reshape(-1).tolist() if value.size != 1 else value.item())
            for name, value in outputs.items()}


def _finite(value: object) -> object:
    """`value` with None for a number, or numbers in a list, that JSON has no word for."""
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
