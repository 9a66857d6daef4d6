"""AdamW: Adam whose weight decay does not go through the gradient."""

from __future__ import annotations

from blobnet.solvers.moments import follow
from blobnet.solvers.registry import register_solver
from blobnet.solvers.settings import check_shares
from blobnet.solvers.solver import Solver


@register_solver
class AdamW(Solver):
    """Adam's step, and beside it a weight decay that is not divided by the size of the gradients.

    m <- momentum * m + (1 - momentum) * g        v <- momentum2 * v + (1 - momentum2) * g^2
    values <- values - rate * (M / (sqrt(V) + delta) + decay * values)

    where M = m / (1 - momentum^t) and V = v / (1 - momentum2^t), t counts the iterations from 1, and decay is
    weight_decay * decay_mult. The gradient g does not contain the decay: that is what "decoupled" means.
    History: m of every parameter, then v of every parameter. Settings: momentum (0 if not given; beta1 of the paper,
    which has 0.9) and momentum2 (0.999; beta2), both in [0, 1); delta (1e-8; epsilon); weight_decay (0 if not given);
    regularization_type ("L2", the formula above; with "L1" the decay is decay * sign(values)).
    Paper: Loshchilov, Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.
    Quirks: not in Caffe. The whole rate multiplies the decay, as in PyTorch; in the paper only its schedule does, so
    the paper's lambda is base_lr * weight_decay. delta is added to sqrt(V); in Adam here, it is added to sqrt(v).
    """

    num_histories = 2
    decoupled_decay = True
    kernel = "adamw"

    def check(self) -> None:
        check_shares(self.param, self.where, "AdamW", "momentum", "momentum2")

    def shares(self) -> tuple[float, float]:
        return self.param.momentum, self.param.momentum2

    def corrections(self) -> tuple[float, float]:
        t = self.iter + 1
        return 1 / (1 - self.param.momentum2 ** t), 1 / (1 - self.param.momentum ** t)

    def update(self, rate: float, values, gradient, scratch, mean, square) -> None:
        xp, (of_square, of_mean) = self.net.xp, self.corrections()
        follow(gradient, *self.shares(), mean, square, scratch)
        xp.multiply(square, of_square, out=scratch)
        xp.sqrt(scratch, out=scratch)
        scratch += self.param.delta
        xp.divide(mean, scratch, out=gradient)
        gradient *= of_mean
        self.regularize(values, gradient, scratch)
        gradient *= rate
