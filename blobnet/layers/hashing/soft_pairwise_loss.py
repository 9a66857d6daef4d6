"""The soft pairwise similarity of improved deep hashing."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import products_of_rows, row_of
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.layers.hashing._pair_terms import pair_costs
from blobnet.layers.hashing._pairs import AllPairs
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import label_cosines


@register
class SoftPairwiseLoss(AllPairs):
    """The inner product of two codes should tell how many of their labels the images share.

    s_ij = <a_i, a_j> / (|a_i| |a_j|);   c_ij = <u_i, u_j> / K;   i < j are the pairs S

    loss = 1/|S| * sum_S cost_ij,   cost_ij = log(1 + exp(beta c_ij)) - s_ij beta c_ij where s_ij is 0 or 1,
    else gamma K * ((c_ij + 1) / 2 - s_ij)^2

    du_i = weight/(|S| K) * sum_{j != i} e_ij u_j

    e_ij = beta * (1/(1 + exp(-beta c_ij)) - s_ij) where s_ij is 0 or 1, else gamma K * ((c_ij + 1) / 2 - s_ij)

    Bottoms: codes u (N, K); labels a (N, L), L > 1, one 0/1 column a label, or (N,), one class a row
    Tops: loss ()
    Params: none
    Options: soft_pairwise_param.slope beta (5), soft_weight gamma (0.1)
    Paper: Zhang, Zou, Lin, Chen and Wang, Improved Deep Hashing with Soft Pairwise Similarity for Multi-label Image
    Retrieval, IEEE Transactions on Multimedia 2019, with the scales of the authors' code; the other term is the mean of
    | |u| - 1 |.
    Quirks: a row without labels is like no other. In the authors' code its loss is nan, pairs with i = j count, and
    s_ij is taken for 0 below 0.01 and for 1 above 0.99, which needs 50 labels. With one class a row all pairs are hard,
    and the loss is that of PairwiseMeanLoss with alpha = beta / K.
    """

    options_field = "soft_pairwise_param"

    def formula(self, u, labels):
        (n, k), options = self.rows, self.options
        a = labels.reshape(n, -1) if labels.size > n else (labels.reshape(n, 1) == np.unique(labels)) * 1.0
        u, sizes, losses = u.reshape(n, k), np.linalg.norm(a, axis=1), []
        for i, j in zip(*np.triu_indices(n, 1)):
            s, c = round(a[i] @ a[j] / (sizes[i] * sizes[j] or 1), 9), u[i] @ u[j] / k
            losses.append(np.logaddexp(0, options.slope * c) - s * options.slope * c if s in (0, 1)
                          else options.soft_weight * k * ((c + 1) / 2 - s) ** 2)
        return sum(losses) / max(1, len(losses))

    def forward(self, bottom, top):
        (n, k), options, xp = self.rows, self.options, self.xp
        u, labels = self.codes(bottom[0].data), bottom[1].data.reshape(n, -1)
        self.similarity, self.hard = label_cosines(labels, self.where, self.param.bottom[1])
        self.nearness = matrix_product(u, u.T) / k
        self.gap = (self.nearness + 1) / 2 - self.similarity
        self.total = max(1, n * (n - 1))  # every pair is there twice
        costs = xp.where(self.hard, self.costs(options.slope * self.nearness, self.similarity),
                         options.soft_weight * k * xp.square(self.gap))
        self.each = costs * (1 - xp.eye(n, dtype=self.dtype))
        top[0].data[...] = self.each.sum() / self.total

    def slopes(self):
        """e_ij, (N, N): K times the derivative of the cost of a pair by <u_i, u_j>; 0 where i = j."""
        options, (n, k) = self.options, self.rows
        hard = options.slope * self.cost_slopes(options.slope * self.nearness, self.similarity)
        slopes = self.xp.where(self.hard, hard, options.soft_weight * k * self.gap)
        return slopes * (1 - self.xp.eye(n, dtype=self.dtype))

    def terms(self, place, bottom, top):
        share = Factor(2 / self.total, None, "1 / pairs")
        if place.kind == "top":
            return pair_costs(place, np.triu(self.each, 1), self.similarity > 0, (share,))
        down = self.weight_factor(top), share, Factor(1 / self.rows[1], None, "1 / K")
        return products_of_rows(place, 0, bottom[0], self.rows, self.slopes()[row_of(place, bottom[0], self.rows)[0]],
                                down)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            slopes = self.slopes() * (self.weight(top) * 2 / (self.total * self.rows[1]))
            self.codes(bottom[0].diff)[...] = matrix_product(slopes, self.codes(bottom[0].data))
