"""The pairwise likelihood of transfer adversarial hashing."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import pulls, row_of
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.layers.hashing._pair_terms import pair_costs
from blobnet.layers.hashing._pairs import PairLikelihood
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import pull_gradient, squared_distances


@register
class PairwiseDistanceLoss(PairLikelihood):
    """The distance of two codes should tell whether the images are similar.

    t_ij = floor(K/2) / (1 + ||u_i - u_j||^2);   s_ij = 1 if <a_i, a_j> > 0, else 0

    loss = 1/N^2 * sum_ij cost_ij,   cost_ij = (1 - s_ij) t_ij where t_ij >= threshold >= 0, else
    log(1 + exp(t_ij)) - s_ij t_ij

    du_i = -2/N^2 * sum_j e_ij 2 floor(K/2) / (1 + ||u_i - u_j||^2)^2 (u_i - u_j),
    e_ij = 1 - s_ij where t_ij > threshold, else 1/(1 + exp(-t_ij)) - s_ij

    Bottoms: codes u (N, K); labels a (N, L), L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: pairwise_param.threshold (-1), which asks for this layer; gradient; engine (no effect)
    Paper: Cao et al., Transfer Adversarial Hashing for Hamming Space Retrieval, AAAI 2018, as the authors' code.
    Quirks: pairs with i = j count. The published gradient, shown above, ignores loss_weight. With a threshold below 0
    its e_ij is linear everywhere, though the cost is linear nowhere. gradient: EXACT is the derivative of the weighted
    loss. The authors' code adds to the gradient of the step before; here it is overwritten. Where exp overflows in the
    authors' code, it does not here.
    """

    variant_of = "PairwiseLoss"
    field = "threshold"
    fields = frozenset()

    @classmethod
    def claims(cls, param):
        return param.pairwise_param.HasField("threshold") and not param.pairwise_param.HasField("weighted")

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.require_columns(bottom)

    def formula(self, u, a):
        n, (u, a), threshold = len(u), (x.reshape(len(x), -1) for x in (u, a)), self.options.threshold
        s, loss = a @ a.T > 0, 0
        for i, j in np.ndindex(n, n):
            t = u.shape[1] // 2 / (1 + ((u[i] - u[j]) ** 2).sum())
            linear = t >= threshold >= 0
            loss += t * (1 - s[i, j]) if linear else np.log(1 + np.exp(t)) - s[i, j] * t
        return loss / n ** 2

    def forward(self, bottom, top):
        n, k = self.rows
        labels = bottom[1].data.reshape(n, -1)
        self.nearness = 1 / (1 + squared_distances(self.codes(bottom[0].data)))
        self.t, self.alike = k // 2 * self.nearness, matrix_product(labels, labels.T) > 0
        self.linear = (self.t >= self.options.threshold) & (self.options.threshold >= 0)
        self.each = self.xp.where(self.linear, self.t * ~self.alike, self.costs(self.t, self.alike))
        top[0].data[...] = self.each.sum() / n ** 2

    def terms(self, place, bottom, top):
        n = self.rows[0]
        if place.kind == "top":
            return pair_costs(place, self.each, self.alike, (Factor(1 / n ** 2, None, "1 / N^2"),))
        row = row_of(place, bottom[0], self.rows)[0]
        down = Factor(2 / n ** 2, None, "2 / N^2"), *[self.weight_factor(top)] * self.exact()
        return pulls(place, bottom[0], self.rows, self._forces()[row], down, self.alike[row])

    def code_pairs(self, bottom):
        n, k = self.rows
        return self.pairs_by(self.exact_slopes() * -(k // 2) * self.xp.square(self.nearness) * (2 / n ** 2), bottom)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        scale = (self.weight(top) if self.exact() else 1) * 2 / self.rows[0] ** 2
        self.codes(bottom[0].diff)[...] = pull_gradient(self._forces(), self.codes(bottom[0].data)) * scale

    def _forces(self):
        """The derivative of each cost by the difference of two codes, per difference."""
        linear = self.linear if self.exact() else self.t > self.options.threshold
        slopes = self.xp.where(linear, ~self.alike, self.cost_slopes(self.t, self.alike))
        return slopes * (-2 * (self.rows[1] // 2)) * self.xp.square(self.nearness)
