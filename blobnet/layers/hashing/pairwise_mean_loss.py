"""The pairwise likelihood of deep hashing networks, as the papers have it."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import products_of_rows, row_of
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.layers.hashing._pair_terms import pair_costs
from blobnet.layers.hashing._pairs import PairLikelihood
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import pair_weights, similar


@register
class PairwiseMeanLoss(PairLikelihood):
    """The inner product of two codes should tell whether the images are similar, in the mean over the pairs.

    t_ij = alpha <u_i, u_j>;   s_ij = 1 if i and j share a label, else 0

    loss = 1/|S| * sum_S w_ij (log(1 + exp(t_ij)) - s_ij t_ij) over the pairs S, i < j

    w_ij = class_num if s_ij, else 1; with weighted: true also times |S|/|S1| and labels in common / labels of either if
    s_ij, else times |S|/|S0|, where S1 are the similar pairs and S0 the others

    du_i = weight * alpha/|S| * sum_{j != i} w_ij e_ij u_j,   e_ij = 1/(1 + exp(-t_ij)) - s_ij

    Bottoms: codes u (N, K); labels (N,), one class a row, or (N, L) with L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: pairwise_param.weighted, which asks for this layer: true or false; class_num (1), sigmoid_param alpha (1);
    engine and gradient (no effect)
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016 (weighted: false); Cao et al.,
    HashNet: Deep Learning to Hash by Continuation, ICCV 2017 (true). Written from the papers; their programs are
    PairwiseLoss.
    Quirks: without pairs the loss is 0. A kind of pairs that the batch lacks counts as one pair.
    """

    variant_of = "PairwiseLoss"
    field = "weighted"
    fields = frozenset({"sigmoid_param", "class_num"})
    published_gradient = False

    @classmethod
    def claims(cls, param):
        return param.pairwise_param.HasField("weighted")

    def formula(self, u, labels):
        (n, k), options = self.rows, self.options
        a = labels.reshape(n, -1) if labels.size > n else (labels.reshape(n, 1) == np.unique(labels)) * 1.0
        common, sizes = a @ a.T, a.sum(axis=1)
        s, pairs = common > 0, np.triu(np.ones((n, n), bool), 1)  # i < j
        u, w = u.reshape(n, k), np.where(s, options.class_num, 1)
        t = options.sigmoid_param * u @ u.T
        if options.weighted:
            shared = np.where(s, common / np.maximum(np.add.outer(sizes, sizes) - common, 1), 1)
            w = w * shared * pairs.sum() / np.where(s, max(1, (s & pairs).sum()), max(1, (~s & pairs).sum()))
        return (w * (np.logaddexp(0, t) - s * t))[pairs].sum() / max(1, pairs.sum())

    def forward(self, bottom, top):
        n, options = self.rows[0], self.options
        u, labels = self.codes(bottom[0].data), bottom[1].data.reshape(n, -1)
        self.t = options.sigmoid_param * matrix_product(u, u.T)
        self.alike = similar(labels, self.where, self.param.bottom[1])
        self.weights = pair_weights(self.alike, labels, options.class_num, options.weighted).astype(self.dtype)
        self.total = max(1, n * (n - 1))  # every pair is there twice
        self.weighted = self.weights * self.costs(self.t, self.alike)
        top[0].data[...] = self.weighted.sum() / self.total

    def terms(self, place, bottom, top):
        share = Factor(2 / self.total, None, "1 / pairs")
        if place.kind == "top":
            return pair_costs(place, self.xp.triu(self.weighted, 1), self.alike, (share,))
        slopes = (self.cost_slopes(self.t, self.alike) * self.weights)[row_of(place, bottom[0], self.rows)[0]]
        down = self.weight_factor(top), Factor(self.options.sigmoid_param, None, "alpha"), share
        return products_of_rows(place, 0, bottom[0], self.rows, slopes, down)

    def code_pairs(self, bottom):
        slopes = self.cost_slopes(self.t, self.alike) * self.weights
        return self.pairs_by(slopes * (-self.options.sigmoid_param / self.total), bottom)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            slopes = self.cost_slopes(self.t, self.alike) * self.weights
            scale = self.weight(top) * self.options.sigmoid_param * 2 / self.total
            self.codes(bottom[0].diff)[...] = matrix_product(slopes, self.codes(bottom[0].data)) * scale
