"""The loss of deep supervised hashing."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.pairs import Pairs
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import MarginLoss
from blobnet.layers.hashing._hashing_terms import hashing_arithmetic, hashing_terms
from blobnet.ops.pairs import margin_gradient, margin_loss, similar, squared_distances


@register
class HashingLoss(MarginLoss):
    """Pull the codes of similar images together, push others apart, and pull every element towards -1 or +1.

    D_ij = ||u_i - u_j||^2 over all pairs i < j of the batch, s_ij = 1 if i and j share a label, else 0

    loss = 1/(N (N-1)) * sum_{i<j} [ s_ij D_ij + (1 - s_ij) max(m - D_ij, 0) ] + t/N * sum_ik | |u_ik| - 1 |

    du_i = weight/(N (N-1)) * sum_j c_ij (u_i - u_j) + weight * t/N * sign(|u_i| - 1) sign(u_i),
    c_ij = 1 if similar, -1 if not similar and D_ij < m, else 0

    Bottoms: codes u (N, K, 1, ...); labels (N,), one class a row, or (N, L) with L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: hashing_loss_param.bi_margin m (1; the paper uses 2 K), tradeoff t (0.01), gradient
    Paper: Liu et al., Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016, equations 4 and 5; the loss is
    averaged as in the authors' code.
    Quirks: the pair term of the authors' gradient, shown above, is half the derivative of their loss. gradient: EXACT
    doubles it. An element that is 0 is pulled towards -1; where an element is -1, its slope counts as +1. A batch of 1
    has no pairs: the loss is nan, as the authors' is, and the gradient has only the pull. Processes that train together
    each see the pairs of their own part of the batch, unless the layer says across_processes: true.
    """

    published_gradient = True

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        shape = bottom[0].shape
        if not shape[0] or math.prod(shape[2:]) != 1:
            raise ShapeError(self.where, expected="codes (N, K), N at least 1, further axes of size 1", got=shape,
                             hint="put a Flatten or an InnerProduct before")

    def formula(self, u, labels):
        n, m, t = len(u), self.options.bi_margin, self.options.tradeoff
        u, a = u.reshape(n, -1), labels.reshape(n, -1)
        s = a @ a.T > 0 if a.shape[1] > 1 else a == a.T
        D = ((u[:, None] - u) ** 2).sum(2)
        pairs = sum(D[i, j] if s[i, j] else max(m - D[i, j], 0) for i, j in np.ndindex(n, n) if i < j)
        return np.divide(pairs, n * (n - 1)) + t / n * abs(abs(u) - 1).sum()

    def code_pairs(self, bottom):
        n = bottom[0].num
        distances = squared_distances(bottom[0].data.reshape(n, -1))
        force = self.signs * (1 - self.xp.eye(n)) / max(1, n * (n - 1))
        return Pairs(distances, self.alike, force, self.options.bi_margin)

    def terms(self, place, bottom, top):
        return hashing_terms(self, place, bottom, top)

    def arithmetic(self):
        return hashing_arithmetic(self)

    def forward(self, bottom, top):
        n, options = bottom[0].num, self.options
        self.alike = similar(bottom[1].data.reshape(n, -1), self.where, self.param.bottom[1])
        self.costs, self.signs = margin_loss(bottom[0].data.reshape(n, -1), self.alike, options.bi_margin,
                                             options.tradeoff, top[0].data)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            u, du = (array.reshape(bottom[0].num, -1) for array in (bottom[0].data, bottom[0].diff))
            factor = 2 if self.options.gradient == self.options.EXACT else 1
            margin_gradient(u, self.signs, self.weight(top), factor, self.options.tradeoff, du)
