"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from blobnet.solvers.registry import register_solver
from blobnet.solvers.solver import Solver


@register_solver
class SGD(Solver):
    """Steps along a running sum of past gradients.

    v <- momentum * v + rate * g        values <- values - v

    History: v. Settings: momentum (0 if not given).
    Paper: Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
    Quirks: v holds steps, not gradients: after a change of the rate, the past goes on with the rate it had.
    """

    kernel = "sgd"

    def update(self, rate: float, values, gradient, scratch, history) -> None:
        gradient *= rate
        history *= self.param.momentum
        history += gradient
        gradient[...] = history
