"""The triplet likelihood of deep supervised hashing."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import products_of_rows, row_of, sum_of_costs
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.layers.hashing._pairs import AllPairs
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import similar
from blobnet.ops.triplets import triplet_likelihood


@register
class TripletLikelihoodLoss(AllPairs):
    """An image should be nearer to those that share a label with it than to all others, by a margin.

    t_ij = 1/2 <u_i, u_j>;   triplets T: all (i, j, k) where i and j share a label, i != j, and i and k share none

    loss = 1/|T| * sum_T log(1 + exp(alpha - t_ij + t_ik)),   0 without triplets

    p_ijk = 1/(1 + exp(t_ij - t_ik - alpha)) for triplets, else 0;   e_ij = 1/|T| * (sum_k p_ikj - sum_k p_ijk)

    du_i = weight/2 * sum_j (e_ij + e_ji) u_j

    Bottoms: codes u (N, K); labels (N,), one class a row, or (N, L) with L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: triplet_likelihood_param.margin alpha (not given: K/2, half the code length)
    Paper: Wang, Shi and Kitani, Deep Supervised Hashing with Triplet Labels, ACCV 2016: the likelihood of its triplets;
    SignQuantizationLoss is the other term.
    Quirks: the mean over the triplets, where the paper has the sum. Memory and time grow with N^2 times the rows that
    are like one; on a GPU with N^3, 4 MB an array of float32 for a batch of 100, 500 MB for one of 500.
    """

    options_field = "triplet_likelihood_param"

    def margin(self):
        """alpha."""
        return self.options.margin if self.options.HasField("margin") else self.rows[1] / 2

    def formula(self, u, labels):
        n, k = self.rows
        a = labels.reshape(n, -1) if labels.size > n else labels.reshape(n, 1) == np.unique(labels)
        u, s = u.reshape(n, k), (a @ a.T) > 0
        t = u @ u.T / 2
        gaps = [self.margin() - t[i, j] + t[i, k] for i, j, k in np.ndindex(n, n, n) if i != j and s[i, j] > s[i, k]]
        return np.logaddexp(0, gaps).sum() / max(1, len(gaps))

    def forward(self, bottom, top):
        u, labels = self.codes(bottom[0].data), bottom[1].data.reshape(self.rows[0], -1)
        self.alike = similar(labels, self.where, self.param.bottom[1])
        self.t = matrix_product(u, u.T) / 2
        self.slopes, self.count = triplet_likelihood(self.t, self.alike, self.margin(), top[0].data)

    def pair_slopes(self):
        """e_ij + e_ji, (N, N): the derivative of the loss by t_ij, both places of a pair together."""
        return self.slopes + self.slopes.T

    def terms(self, place, bottom, top):
        if place.kind == "bottom":
            down = self.weight_factor(top), Factor(0.5, None, "1/2")
            row = row_of(place, bottom[0], self.rows)[0]
            return products_of_rows(place, 0, bottom[0], self.rows, self.pair_slopes()[row], down)

        def told(at):
            return f"row {at[0]} nearer to row {at[1]} than to row {at[2]}", None

        near = self.alike & ~np.eye(self.rows[0], dtype=bool)
        gaps = (self.margin() - self.t)[:, :, None] + self.t[:, None]
        costs = np.logaddexp(0, gaps) * (near[:, :, None] & ~self.alike[:, None])
        return sum_of_costs(place, costs, (Factor(1 / float(self.count), None, "1 / triplets"),), told,
                            "every triplet costs the more, the less its near codes are nearer than its far ones")

    def code_pairs(self, bottom):
        return self.pairs_by(self.pair_slopes() / -4, bottom)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            slopes = self.pair_slopes() * (self.weight(top) / 2)
            self.codes(bottom[0].diff)[...] = matrix_product(slopes, self.codes(bottom[0].data))
