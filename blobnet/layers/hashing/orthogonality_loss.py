"""The independence term of deep hashing."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.linear import matrix_product


@register
class OrthogonalityLoss(CodeLoss):
    """The rows of a weight matrix should be orthogonal, each of length 1.

    E = w w^T - I,   loss = 1/2 * ||E||^2,   dw = weight * 2 E w

    Bottoms: w (K, C), the weight of an InnerProduct that a Parameter layer of the same parameter name hands over
    Tops: loss ()
    Params: none
    Paper: Erin Liong, Lu, Wang, Moulin and Zhou, Deep Hashing for Compact Binary Codes Learning, CVPR 2015: its
    independence term, lambda_2/2 * sum_m ||W^m (W^m)^T - I||^2, which holds the bits independent by way of the weights.
    Quirks: the Parameter layer must stand after the InnerProduct in the net. The top of the Parameter layer shares its
    diff with the weight; this layer overwrites the diff, and then the InnerProduct adds to it.
    """

    def formula(self, w):
        w = w.reshape(len(w), -1)
        return ((w @ w.T - np.eye(len(w))) ** 2).sum() / 2

    def forward(self, bottom, top):
        w = self.codes(bottom[0].data)
        self.excess = matrix_product(w, w.T) - self.xp.eye(self.rows[0], dtype=self.dtype)
        top[0].data[...] = self.xp.square(self.excess).sum() / 2

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            w = self.codes(bottom[0].data)
            self.codes(bottom[0].diff)[...] = matrix_product(self.excess * (2 * self.weight(top)), w)
