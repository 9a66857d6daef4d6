"""AdaDelta: steps in the units of the parameters."""

from __future__ import annotations

from blobnet.errors import SolverError
from blobnet.solvers.registry import register_solver
from blobnet.solvers.solver import Solver


@register_solver
class AdaDelta(Solver):
    """Scales every gradient by the recent size of its updates over the recent size of its gradients.

    h <- momentum * h + (1 - momentum) * g^2        s = g * sqrt((d + delta) / (h + delta))
    d <- momentum * d + (1 - momentum) * s^2        values <- values - rate * s

    History: h of every parameter, then d of every parameter. Settings: momentum (0 if not given), the share of the past
    in both means, at most 1; delta (1e-8), without which the first step would be 0.
    Paper: Zeiler, ADADELTA: an adaptive learning rate method, arXiv 1212.5701, algorithm 1.
    Quirks: the paper has no rate; base_lr: 1 gives the paper's steps.
    """

    num_histories = 2
    kernel = "adadelta"

    def check(self) -> None:
        if not 0 <= self.param.momentum <= 1:
            raise SolverError(self.where, expected="momentum in [0, 1] for AdaDelta", got=f"{self.param.momentum:g}")

    def update(self, rate: float, values, gradient, scratch, history, steps) -> None:
        xp, momentum, delta = self.net.xp, self.param.momentum, self.param.delta
        xp.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - momentum
        history *= momentum
        history += scratch
        xp.add(steps, delta, out=scratch)
        scratch /= history + delta
        xp.sqrt(scratch, out=scratch)
        gradient *= scratch
        xp.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - momentum
        steps *= momentum
        steps += scratch
        gradient *= rate
