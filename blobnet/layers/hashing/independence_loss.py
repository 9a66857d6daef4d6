"""The independence term of binary deep neural networks."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.linear import matrix_product


@register
class IndependenceLoss(CodeLoss):
    """The bits should be uncorrelated over the batch, each of mean square 1.

    E = 1/N * u^T u - I,   loss = 1/2 * ||E||^2,   du = weight * 2/N * u E

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Paper: Do, Doan and Cheung, Learning to Hash with Binary Deep Neural Network, ECCV 2016: the term of lambda_3,
    1/2 ||1/m H H^T - I||^2, of both its objectives.
    Quirks: none.
    """

    def formula(self, u):
        u = u.reshape(len(u), -1)
        return ((u.T @ u / max(1, len(u)) - np.eye(u.shape[1])) ** 2).sum() / 2

    def forward(self, bottom, top):
        u = self.codes(bottom[0].data)
        self.excess = matrix_product(u.T, u) / max(1, self.rows[0]) - self.xp.eye(self.rows[1], dtype=self.dtype)
        top[0].data[...] = self.xp.square(self.excess).sum() / 2

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            factor = self.weight(top) * 2 / max(1, self.rows[0])
            self.codes(bottom[0].diff)[...] = matrix_product(self.codes(bottom[0].data), self.excess * factor)
