"""A test output by which a training is judged: which one it is, and which of two values is better."""

from __future__ import annotations

import math

from blobnet.errors import SolverError, close_matches
from blobnet.solvers.evaluation import loss_weights
from blobnet.solvers.solver import Solver
from blobnet.solvers.tested import Series, named

MODES = "min", "max"


class Judge:
    """Watches the test output `output`, called as the log calls it; name#1 is that of the second test net.

    mode: "min" if lower values are better, "max" if higher ones are; without it, lower ones of an output that has a
    loss weight or "loss" or "error" in its name, else higher ones. A value is better if it is by more than `min_delta`;
    any number is better than none (NaN). SolverError for settings that make no sense, and, when it begins to watch, for
    an output that the tests do not have or that is no single number.
    """

    def __init__(self, output: str, mode: str | None = None, min_delta: float = 0.0):
        self.output, self.mode, self.min_delta = output, mode, min_delta
        self.where = f"{type(self).__name__}({output!r})"
        if mode not in (None, *MODES):
            raise SolverError(self.where, "mode", expected="min or max", got=repr(mode))
        if not min_delta >= 0:
            raise SolverError(self.where, expected="min_delta of at least 0", got=min_delta)

    def begin_watching(self, solver: Solver) -> None:
        """Find the output, and say which values are better. Of processes that train together the first one tests."""
        if not solver.together.first:
            return
        if not solver.test_nets or solver.param.test_interval <= 0:
            raise SolverError(solver.where, f"no test whose output {self.output!r} could be watched",
                              hint="give the solver a test net, test_iter and test_interval")
        known = named([dict.fromkeys(net.outputs, net) for net in solver.test_nets])
        if self.output not in known:
            raise SolverError(solver.where, f"no test output {self.output!r}", hint=close_matches(self.output, known))
        net, name = known[self.output], self.output.rpartition("#")[0]
        name = self.output if self.output in net.outputs else name
        shape = net.blobs[name].shape
        if math.prod(shape) != 1 and solver.param.eval_type != "detection":
            raise SolverError(solver.where, f"test output {self.output!r}", expected="one number", got=f"shape {shape}")
        if self.mode is None:
            lower = loss_weights(net).get(name) or any(word in name.lower() for word in ("loss", "error"))
            self.mode = MODES[0 if lower else 1]

    def is_better(self, value: float, best: float) -> bool:
        """Whether `value` is better than `best`."""
        if math.isnan(best) or math.isnan(value):
            return not math.isnan(value)
        return (best - value if self.mode == "min" else value - best) > self.min_delta

    def place_of_best(self, series: Series) -> tuple[int, int]:
        """The place of the best value in a series that is not empty, and how many values came after it."""
        place = 0
        for i, value in enumerate(series.values):
            if i and self.is_better(value, series.values[place]):
                place = i
        return place, len(series.values) - 1 - place
