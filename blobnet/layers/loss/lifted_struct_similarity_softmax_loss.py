"""Lifted structured embedding."""

from __future__ import annotations

import numpy as np

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.pairs import pull_gradient, similar, squared_distances


@register
class LiftedStructSimilaritySoftmaxLoss(LossLayer):
    """Every similar pair of a batch against all samples that are unlike either of the two.

    D_ij = ||x_i - x_j||;   P: pairs i < j of one class;   S_i = sum over k of other classes of exp(m - D_ik)

    J_ij = log(S_i + S_j) + D_ij,   loss = 1/(2 |P|) * sum_P max(0, J_ij)^2

    dD_ij = weight/|P| * max(0, J_ij),   dD_ik = -exp(m - D_ik) * sum_j dD_ij / (S_i + S_j),
    dx_i = sum_j dD_ij (x_i - x_j) / D_ij

    Bottoms: x (N, ...); labels (N,), one class a row, or (N, L) with L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: lifted_struct_sim_softmax_loss_param.margin m (1)
    Paper: Oh Song et al., Deep Metric Learning via Lifted Structured Feature Embedding, CVPR 2016, equation 4. Written
    from the paper, and not compared with the figures of the authors' program.
    Quirks: equal samples have a distance without a slope, and do not pull at each other. A batch without similar pairs,
    or of one class, has loss 0. All exponentials are of differences to the logarithms of S_i and S_i + S_j, so that
    large distances neither overflow nor underflow.
    """

    options_field = "lifted_struct_sim_softmax_loss_param"

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if not bottom[0].shape[0]:
            raise ShapeError(self.where, expected="a batch of at least 1", got=bottom[0].shape)

    def formula(self, x, labels):
        n, margin = len(x), self.options.margin
        D, a = np.sqrt(((x.reshape(n, 1, -1) - x.reshape(n, -1)) ** 2).sum(2)), labels.reshape(n, -1)
        alike = a @ a.T > 0 if a.shape[1] > 1 else a == a.T
        S = [sum(np.exp(margin - D[i, k]) for k in range(n) if k != i and not alike[i, k]) for i in range(n)]
        J = [np.log(S[i] + S[j]) + D[i, j] for i, j in np.ndindex(n, n) if i < j and alike[i, j]]
        return sum(max(0, cost) ** 2 for cost in J) / (2 * max(1, len(J)))

    def forward(self, bottom, top):
        xp, n = self.xp, bottom[0].shape[0]
        apart = ~xp.eye(n, dtype=bool)
        alike = similar(bottom[1].data.reshape(n, -1), self.where, self.param.bottom[1]) & apart
        self.distances = xp.sqrt(squared_distances(bottom[0].data.reshape(n, -1)))
        others = apart & ~alike
        lowest = xp.finfo(self.distances.dtype).min / 4  # instead of log 0: its differences are finite
        exponents = xp.where(others, self.options.margin - self.distances, lowest)
        largest = exponents.max(axis=1, keepdims=True)
        costs = xp.where(others, xp.exp(exponents - largest), 0)
        sums = costs.sum(axis=1, keepdims=True)
        self.parts = costs / xp.where(sums == 0, 1, sums)  # exp(m - D_ik) / S_i
        logarithms = largest + xp.log(xp.where(sums == 0, 1, sums))  # log S_i
        both = xp.maximum(logarithms, logarithms.T) + xp.log1p(xp.exp(-abs(logarithms - logarithms.T)))
        self.shares = xp.exp(logarithms - both)  # S_i / (S_i + S_j)
        self.hinges = xp.where(alike, xp.maximum(both + self.distances, 0), 0)
        self.pairs = xp.maximum(alike.sum() // 2, 1).astype(self.dtype)
        top[0].data[...] = xp.square(self.hinges).sum() / (4 * self.pairs)  # every pair is there twice

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        xp = self.xp
        pushes = self.parts * (self.hinges * self.shares).sum(axis=1, keepdims=True)
        slopes = self.hinges - pushes - pushes.T  # of the loss by D_ij, as D_ij and D_ji are one
        slopes /= xp.where(self.distances > 0, self.distances, xp.inf)
        x = bottom[0].data.reshape(len(slopes), -1)
        scale = self.weight(top) / self.pairs
        bottom[0].diff[...] = (pull_gradient(slopes, x) * scale).reshape(bottom[0].shape)
