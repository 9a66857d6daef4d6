"""The best snapshot: that of the iteration with the best test output so far."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence

from blobnet.proto.storage import atomic_write
from blobnet.solvers.callbacks._judge import Judge
from blobnet.solvers.snapshot import check_destination
from blobnet.solvers.solver import Solver
from blobnet.solvers.tested import Series

log = logging.getLogger(__name__)


class BestSnapshot(Judge):
    """Keeps the snapshot with the best `output` of a test, in files whose names do not change.

        solver.watch(BestSnapshot("accuracy"))

    path: what is before the dot in the names, the snapshot_prefix and _best if it is not given. PATH.caffemodel has the
    weights, PATH.solverstate the state to go on from, each replaced at once (.h5 is added for snapshot_format: HDF5);
    PATH.json says {"output", "mode", "iteration", "value"}, by which a resumed run knows the best so far. A run that
    begins anew replaces what is there. mode and errors as for `Judge`. best: (iteration, value), None before a test.
    """

    def __init__(self, output: str, mode: str | None = None, path: str | os.PathLike = ""):
        super().__init__(output, mode)
        self.path = os.fspath(path)
        self.best: tuple[int, float] | None = None

    def begin_watching(self, solver: Solver) -> None:
        """Find the output, and make the folder."""
        super().begin_watching(solver)
        self.path = self.path or f"{solver.param.snapshot_prefix}_best"
        check_destination(solver.param, self.where, self.path)

    def after_test(self, solver: Solver, results: Sequence) -> None:
        """Replace the files if the test was the best."""
        _, iterations, values = solver.tested[self.output]
        now, value = iterations[-1], values[-1]
        if self.best is None or now <= self.best[0]:  # the first test, or a training that was restored
            self.best = self._known(now, Series(self.output, iterations[:-1], values[:-1]))
        if self.best is not None and not self.is_better(value, self.best[1]):
            return
        weights, _ = solver.snapshot(self.path)
        self.best = now, value
        with atomic_write(f"{self.path}.json") as file:
            file.write(json.dumps({"output": self.output, "mode": self.mode, "iteration": now,
                                   "value": value}).encode())
        log.info("Best %s so far: %g at iteration %d, in %s", self.output, value, now, weights)

    def _known(self, now: int, earlier: Series) -> tuple[int, float] | None:
        """The best of the earlier tests, if the files are of this run; a run that was killed may have come further."""
        if not earlier.values:
            return None
        place, _ = self.place_of_best(earlier)
        best = earlier.iterations[place], earlier.values[place]
        try:
            with open(f"{self.path}.json", "rb") as file:
                found = json.load(file)
            same = (found["output"], found["mode"]) == (self.output, self.mode)
            ours = found["iteration"] >= now or (found["iteration"], found["value"]) == best
            return best if same and ours else None
        except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is something else
            return None
