"""Triplet ranking loss over two similarities."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import sum_of_costs
from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Terms
from blobnet.errors import ShapeError
from blobnet.ops.pairs import ranking_loss


@register
class PairwiseRankingLoss(LossLayer):
    """The similar one must be more similar than the other by a margin.

    loss = 1/N * sum_n max(0, m - p_n + q_n),   dp_n = -1, dq_n = +1 where the term is positive, else 0; with sample
    also 0 unless p_n > q_n

    Bottoms: p similarity of query and positive (N, ...), q of query and negative (as p)
    Tops: loss ()
    Params: none
    Options: triplet_loss_param.margin m (1); sample (false): only terms with p_n > q_n are trained; gradient
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015,
    section 3.1: its triplet ranking loss, with similarities in the place of distances.
    Quirks: the published gradient, shown above, is neither divided by N nor multiplied with loss_weight. gradient:
    EXACT is the derivative of the loss, +-weight/N, which sample does not change. sim_type and mu, which belong to
    other layers, have no effect.
    """

    options_field = "triplet_loss_param"
    published_gradient = True
    unforced_bottoms = ()

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if bottom[0].count != bottom[1].count:
            raise ShapeError(self.where, expected="as many similarities in both bottoms",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")

    def formula(self, p, q):
        return np.maximum(self.options.margin - p.reshape(-1) + q.reshape(-1), 0).sum() / max(1, p.size)

    def forward(self, bottom, top):
        p, q = bottom[0].data.reshape(-1), bottom[1].data.reshape(-1)
        self.lacks = ranking_loss(p, q, self.options.margin, top[0].data)
        self.violated, self.right = self.lacks > 0, p > q

    def terms(self, place, bottom, top):
        mean = Factor(1 / max(1, self.lacks.size), None, "1 / N")
        if place.kind == "top":
            return sum_of_costs(place, self.lacks, (mean,), lambda at: (f"row {at[0]}", None), "what rows lack of the "
                                "margin")
        exact = self.options.gradient == self.options.EXACT
        if not self._used(exact).reshape(bottom[place.number].shape)[place.index]:
            return Terms(place, [], "its row is not trained: it lacks nothing, or is left out by `sample`")
        sign = Factor((-1.0, 1.0)[place.number], None, ("should be larger", "should be smaller")[place.number])
        return Terms(place, [(sign, self.weight_factor(top), mean) if exact else (sign,)], "its row lacks some margin")

    def _used(self, exact: bool):
        """Which rows are trained."""
        return self.violated & self.right if self.options.sample and not exact else self.violated

    def backward(self, top, propagate_down, bottom):
        exact = self.options.gradient == self.options.EXACT
        step = self.weight(top) / max(1, self.violated.size) if exact else 1
        used = self._used(exact)
        for sign, wanted, blob in zip((-1, 1), propagate_down, bottom):
            if wanted:
                blob.diff[...] = (used * (sign * step)).reshape(blob.shape)
