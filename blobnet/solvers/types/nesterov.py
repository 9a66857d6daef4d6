"""Nesterov's accelerated gradient."""

from __future__ import annotations

from blobnet.solvers.registry import register_solver
from blobnet.solvers.solver import Solver


@register_solver
class Nesterov(Solver):
    """Momentum that looks ahead: the gradient acts as if it had been taken where the momentum leads.

    v' = momentum * v + rate * g        values <- values - ((1 + momentum) * v' - momentum * v)        v <- v'

    History: v. Settings: momentum (0 if not given).
    Paper: Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013, eq. 3, 4.
    Quirks: v holds steps, not gradients: after a change of the rate, the past goes on with the rate it had.
    """

    kernel = "nesterov"

    def update(self, rate: float, values, gradient, scratch, history) -> None:
        momentum = self.param.momentum
        gradient *= rate
        history *= momentum      # (1 + m) v' - m v = m v' + rate * g, as v' - m v = rate * g
        history += gradient
        self.net.xp.multiply(history, momentum, out=scratch)
        gradient += scratch
