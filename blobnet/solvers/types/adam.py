"""Adam: momentum over the recent size of gradients."""

from __future__ import annotations

import math

from blobnet.solvers.moments import follow
from blobnet.solvers.registry import register_solver
from blobnet.solvers.settings import check_shares
from blobnet.solvers.solver import Solver


@register_solver
class Adam(Solver):
    """Divides a running mean of the gradients by the root of a running mean of their squares.

    m <- momentum * m + (1 - momentum) * g        v <- momentum2 * v + (1 - momentum2) * g^2
    values <- values - rate * c * m / (sqrt(v) + delta),   c = sqrt(1 - momentum2^t) / (1 - momentum^t)

    where t counts the iterations from 1, and c corrects the means for having started at 0.
    History: m of every parameter, then v of every parameter. Settings: momentum (0 if not given; beta1 of the paper,
    which has 0.9) and momentum2 (0.999; beta2), both in [0, 1); delta (1e-8; epsilon).
    Paper: Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015, the end of section 2.
    Quirks: delta is added to the uncorrected root, as in that section and not as in algorithm 1.
    """

    num_histories = 2
    kernel = "adam"

    def check(self) -> None:
        check_shares(self.param, self.where, "Adam", "momentum", "momentum2")

    def shares(self) -> tuple[float, float]:
        return self.param.momentum, self.param.momentum2

    def corrections(self) -> tuple[float, float]:
        beta1, beta2, t = self.param.momentum, self.param.momentum2, self.iter + 1
        return math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t), 1.0

    def update(self, rate: float, values, gradient, scratch, mean, square) -> None:
        xp = self.net.xp
        follow(gradient, *self.shares(), mean, square, scratch)
        xp.sqrt(square, out=scratch)
        scratch += self.param.delta
        xp.divide(mean, scratch, out=gradient)
        gradient *= rate * self.corrections()[0]
