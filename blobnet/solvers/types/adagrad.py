"""AdaGrad: rates that fall where gradients were large."""

from __future__ import annotations

from blobnet.solvers.registry import register_solver
from blobnet.solvers.settings import refuse_momentum
from blobnet.solvers.solver import Solver


@register_solver
class AdaGrad(Solver):
    """Divides the gradient of every element by the root of the sum of its squares in all iterations so far.

    h <- h + g^2        values <- values - rate * g / (sqrt(h) + delta)

    History: h. Settings: delta (1e-8); momentum is refused.
    Paper: Duchi, Hazan, Singer, Adaptive subgradient methods for online learning and stochastic optimization,
    JMLR 2011.
    Quirks: with delta: 0, an element whose gradients were all 0 becomes NaN.
    """

    kernel = "adagrad"

    def check(self) -> None:
        refuse_momentum(self.param, self.where, "AdaGrad")

    def update(self, rate: float, values, gradient, scratch, history) -> None:
        xp = self.net.xp
        xp.multiply(gradient, gradient, out=scratch)
        history += scratch
        xp.sqrt(history, out=scratch)
        scratch += self.param.delta
        gradient /= scratch
        gradient *= rate
