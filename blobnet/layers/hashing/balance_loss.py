"""The balance term of binary deep neural networks."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss


@register
class BalanceLoss(CodeLoss):
    """Every bit should be +1 for one half of the batch and -1 for the other.

    loss = 1/(2 N) * || sum_n u_n ||^2,   du_n = weight/N * sum_m u_m

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Paper: Do, Doan and Cheung, Learning to Hash with Binary Deep Neural Network, ECCV 2016: the term of lambda_4,
    1/(2m) ||H 1||^2, of both its objectives.
    Quirks: grows with N where a bit is out of balance, as the sum is squared before it is divided by N.
    """

    def forward(self, bottom, top):
        self.total = self.codes(bottom[0].data).sum(axis=0)
        top[0].data[...] = self.total @ self.total / max(1, self.rows[0]) / 2

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            self.codes(bottom[0].diff)[...] = self.total * (self.weight(top) / max(1, self.rows[0]))
