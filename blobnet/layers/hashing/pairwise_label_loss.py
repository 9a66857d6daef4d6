"""The classification term of supervised binary deep neural networks."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import products_of_rows, row_of
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.layers.hashing._base import LabeledCodeLoss
from blobnet.layers.hashing._pair_terms import pair_costs
from blobnet.ops.indices import class_members
from blobnet.ops.linear import matrix_product


@register
class PairwiseLabelLoss(LabeledCodeLoss):
    """The inner product of two codes, per bit, should be +1 within a class and -1 between classes.

    S_ij = +1 if i and j are of one class, else -1,   E = 1/K * u u^T - S

    loss = 1/(2 N) * ||E||^2,   du = weight * 2/(K N) * E u

    Bottoms: codes u (N, K); labels (N,), one class a row    Tops: loss ()    Params: none
    Paper: Do, Doan and Cheung, Learning to Hash with Binary Deep Neural Network, ECCV 2016: the first term of the
    supervised objective, 1/(2m) ||1/L H^T H - S||^2.
    Quirks: pairs of an image with itself count. The loss grows with N, as there are N^2 pairs and the mean is over N. S
    is 2 Y Y^T - 1, where Y (N, C) has a 1 in the column of the class of each row. With that, forward and backward do
    without S and E, so a batch may be a whole data set.
    """

    def formula(self, u, labels):
        n, k = self.rows
        u, S = u.reshape(n, k), np.where(labels.reshape(n, 1) == labels.reshape(n), 1, -1)
        E = u @ u.T / k - S
        return (E ** 2).sum() / (2 * n)

    def terms(self, place, bottom, top):
        (n, k), u, classes = self.rows, self.codes(bottom[0].data), self.classes(bottom)
        alike = classes[:, None] == classes
        errors = u @ u.T / max(1, k) - self.xp.where(alike, 1, -1)
        if place.kind == "top":
            words = "every pair costs the square of <u_i, u_j> / K - S_ij"
            return pair_costs(place, errors ** 2, alike, (Factor(1 / max(1, 2 * n), None, "1 / 2N"),), words)
        down = Factor(2 / max(1, n * k), None, "2 / (K N)"), self.weight_factor(top)
        return products_of_rows(place, 0, bottom[0], self.rows, errors[row_of(place, bottom[0], self.rows)[0]], down)

    def forward(self, bottom, top):
        n, k = self.rows
        u = self.codes(bottom[0].data).astype(self.xp.float64)
        self.members = class_members(self.classes(bottom))
        self.gram, self.sums = matrix_product(u.T, u), matrix_product(self.members.T, u)
        self.total = self.sums.sum(axis=0)
        alike = 2 * self.xp.square(self.sums).sum() - self.total @ self.total  # sum of S_ij <u_i, u_j>
        square = self.xp.square(self.gram).sum() / max(1, k) ** 2 - 2 / max(1, k) * alike + n * n
        top[0].data[...] = square / max(1, n) / 2

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        n, k = self.rows
        errors = matrix_product(self.codes(bottom[0].data), self.gram) / max(1, k)
        slope = errors - matrix_product(2 * self.members, self.sums) + self.total  # E u
        self.codes(bottom[0].diff)[...] = slope * (self.weight(top) * 2 / max(1, n * k))
