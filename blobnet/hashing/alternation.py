"""The state of a training that improves weights and binary codes in turn, and the files that keep it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.errors import DataError, SolverError
from blobnet.proto.npz import read_arrays
from blobnet.proto.storage import atomic_write
from blobnet.solvers.solver import Solver

_HINT = "move it away to begin anew"


class Alternation:
    """Half rounds of weights, number `half`, each for other codes.

    binary: the codes (N, K) of this one; history: the objective so far; scores: those of the rounds, and best: the
    weights of the last that was better than all before. With `keep` there is a file <snapshot_prefix>_codes.npz, which
    is written at the start of a half round and holds all that, and the solver's snapshot, which is of that half round.
    """

    def __init__(self, solver: Solver, binary: np.ndarray, steps: int, keep: bool):
        self.solver, self.binary, self.steps, self.keep = solver, binary, steps, keep
        self.half, self._begin = 0, solver.iter
        self.history: list[float] = []
        self.scores: list[float] = []
        self.best: list[np.ndarray] = []
        self._weights = [blob for blobs in solver.net.params.values() for blob in blobs]
        self._files: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file of the codes."""
        return Path(f"{self.solver.param.snapshot_prefix}_codes.npz")

    @property
    def _first(self) -> int:
        """The iteration at which this half round begins."""
        return self._begin + self.half * self.steps

    def resume(self) -> bool:
        """Go on from the files, if there are any. DataError for those of another training or with a part missing."""
        if not self.keep or not self.path.exists():
            return False
        try:
            arrays = read_arrays(self.path)
            self.half, binary = int(arrays["half"]), arrays["binary"]
            self.history, self.scores = (arrays[name].tolist() for name in ("history", "scores"))
            self.best = [arrays[f"best{i}"] for i in range(sum(name.startswith("best") for name in arrays))]
        except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
            raise DataError(str(self.path), f"not a whole file of codes ({error})", hint=_HINT) from error
        shapes = [blob.shape for blob in self._weights] if self.best else []
        if binary.shape != self.binary.shape or [array.shape for array in self.best] != shapes:
            raise DataError(str(self.path), expected=f"codes {self.binary.shape} and weights of this net",
                            got=f"codes {binary.shape}, or weights of another", hint=_HINT)
        self.binary = binary.astype(self.binary.dtype)
        found = self.solver.resume()
        if not self._first <= self.solver.iter <= self._first + self.steps:
            raise SolverError(str(self.path), expected=f"a snapshot of half round {self.half} beside it, of iteration "
                              f"{self._first} or later", got=found or "none", hint=_HINT)
        self._files = () if found is None else (found, found.replace(".solverstate", ".caffemodel"))
        return True

    def improve_weights(self) -> None:
        """The iterations of the solver that this half round has left."""
        solver = self.solver
        if solver.iter == self._first:
            for array in solver.history:  # of an objective with other codes
                array.fill(0)
            self._save()
        while solver.iter < self._first + self.steps:
            solver.step(1)
            if self.keep:
                files = solver.snapshot()
                for old in self._files:
                    Path(old).unlink(missing_ok=True)
                self._files = files

    def judge(self, score: float) -> bool:
        """Note the score of this half round's weights, and whether it is better than all before."""
        better = score > max(self.scores, default=0.0)
        if better:
            self.best = [np.array(to_host(blob.data)) for blob in self._weights]
        self.scores.append(score)
        return better

    def take_best(self) -> None:
        """Give the net the weights of the best score, if any was noted."""
        for blob, values in zip(self._weights, self.best):
            blob.data[...] = blob.xp.asarray(values)

    def _save(self) -> None:
        if self.keep:
            os.makedirs(self.path.parent, exist_ok=True)
            arrays: dict[str, Any] = {f"best{i}": values for i, values in enumerate(self.best)}
            with atomic_write(self.path) as file:
                np.savez(file, half=self.half, binary=self.binary.astype(np.int8), history=self.history,
                         scores=self.scores, **arrays)
