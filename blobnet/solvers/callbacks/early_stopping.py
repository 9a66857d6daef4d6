"""Early stopping: a run ends when a test output no longer improves."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from blobnet.errors import SolverError
from blobnet.solvers.callbacks._judge import Judge
from blobnet.solvers.solver import Solver

log = logging.getLogger(__name__)


class EarlyStopping(Judge):
    """Stops the run after `patience` tests in a row whose `output` was not better than the best before.

        solver.watch(EarlyStopping("accuracy", patience=5))

    mode, min_delta and errors as for `Judge`. What the tests found is in the snapshots: a resumed run counts on, and
    stops where the run that was not interrupted would have. A run that is stopped ends as by `request_stop`, with a
    snapshot where the solver file wants one.
    """

    def __init__(self, output: str, patience: int = 5, mode: str | None = None, min_delta: float = 0.0):
        super().__init__(output, mode, min_delta)
        self.patience = patience
        if patience < 1:
            raise SolverError(self.where, expected="patience of at least 1 test", got=patience)

    def after_test(self, solver: Solver, results: Sequence) -> None:
        """Request a stop if it is time."""
        series = solver.tested[self.output]
        place, since = self.place_of_best(series)
        if since >= self.patience:
            log.info("Early stop at iteration %d: %s was not better for %d tests than %g at iteration %d",
                     solver.iter, self.output, since, series.values[place], series.iterations[place])
            solver.request_stop()
