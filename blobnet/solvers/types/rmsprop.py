"""RMSProp: gradients divided by their recent size."""

from __future__ import annotations

from blobnet.solvers.registry import register_solver
from blobnet.solvers.settings import check_shares, refuse_momentum
from blobnet.solvers.solver import Solver


@register_solver
class RMSProp(Solver):
    """Divides every gradient by the root of a running mean of its squares.

    h <- rms_decay * h + (1 - rms_decay) * g^2        values <- values - rate * g / (sqrt(h) + delta)

    History: h. Settings: rms_decay (0.99), in [0, 1); delta (1e-8); momentum is refused.
    Paper: Tieleman, Hinton, RMSProp: divide the gradient by a running average of its recent magnitude, COURSERA:
    Neural networks for machine learning, lecture 6.5, 2012.
    Quirks: with delta: 0, an element whose gradients were all 0 becomes NaN.
    """

    kernel = "rmsprop"

    def check(self) -> None:
        refuse_momentum(self.param, self.where, "RMSProp")
        check_shares(self.param, self.where, "RMSProp", "rms_decay")

    def shares(self) -> tuple[float]:
        return (self.param.rms_decay,)

    def update(self, rate: float, values, gradient, scratch, history) -> None:
        xp, decay = self.net.xp, self.param.rms_decay
        xp.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - decay
        history *= decay
        history += scratch
        xp.sqrt(history, out=scratch)
        scratch += self.param.delta
        gradient /= scratch
        gradient *= rate
