"""The supervised term of deep hashing."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._base import LabeledCodeLoss
from blobnet.ops.indices import class_members
from blobnet.ops.linear import matrix_product


@register
class ScatterLoss(LabeledCodeLoss):
    """Codes of one class should be near each other, codes of different classes far apart.

    W = mean of ||u_i - u_j||^2 over the pairs i != j of one class, B = the same over the pairs of two classes

    loss = 1/2 * (W - B),   du_i = weight * [ w * sum_{j like i} (u_i - u_j) - b * sum_{j unlike i} (u_i - u_j) ],
    w = 2 / (number of like pairs (i, j) in either order), b = 2 / (number of unlike ones)

    Bottoms: codes u (N, K); labels (N,), one class a row    Tops: loss ()    Params: none
    Paper: Erin Liong, Lu, Wang, Moulin and Zhou, Deep Hashing for Compact Binary Codes Learning, CVPR 2015: the
    supervised term, -alpha/2 tr(Sigma_B - Sigma_W), in which the mean is over given pairs; here all of the batch.
    Quirks: no lower bound unless the codes have one (TanH). If the batch has no pairs of one kind, their mean counts as
    0. Sums over pairs are computed from sums over classes, so a batch may be a whole data set.
    """

    def formula(self, u, labels):
        n = len(u)
        D = ((u.reshape(n, 1, -1) - u.reshape(n, -1)) ** 2).sum(2)
        like = labels.reshape(n, 1) == labels.reshape(n)
        W, B = (D[pairs].sum() / max(1, pairs.sum()) for pairs in (like & ~np.eye(n, dtype=bool), ~like))
        return (W - B) / 2

    def forward(self, bottom, top):
        n = self.rows[0]
        u = self.codes(bottom[0].data).astype(self.xp.float64)
        members = class_members(self.classes(bottom))
        counts = members.sum(axis=0)
        like = (counts * counts).sum()
        # row i: the sum of u_i - u_j over all j of its class, and over all others
        within = matrix_product(members, counts)[:, None] * u - matrix_product(members, matrix_product(members.T, u))
        between = n * u - u.sum(axis=0) - within
        self.pull = within / self.xp.maximum(like - n, 1) - between / self.xp.maximum(n * n - like, 1)
        top[0].data[...] = (u * self.pull).sum()  # sum_ij ||u_i - u_j||^2 is 2 sum_i <u_i, sum_j (u_i - u_j)>

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            self.codes(bottom[0].diff)[...] = self.pull * (2 * self.weight(top))
