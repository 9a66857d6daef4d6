"""Triplet ranking loss over two similarities."""

from __future__ import annotations

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class PairwiseRankingLoss(LossLayer):
    """The similar one must be more similar than the other by a margin.

    loss = 1/N * sum_n max(0, m - p_n + q_n),   dp_n = -1, dq_n = +1 where the term is positive, else 0; with sample
    also 0 unless p_n > q_n

    Bottoms: p similarity of query and positive (N, ...), q of query and negative (as p)
    Tops: loss ()
    Params: none
    Options: triplet_loss_param.margin m (1); sample (false): only terms with p_n > q_n are trained; gradient
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015, equation 1.
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

    def forward(self, bottom, top):
        p, q = bottom[0].data.reshape(-1), bottom[1].data.reshape(-1)
        terms = self.xp.maximum(self.options.margin - p + q, 0)
        self.violated, self.right = terms > 0, p > q
        top[0].data[...] = terms.sum() / max(1, terms.size)

    def backward(self, top, propagate_down, bottom):
        exact = self.options.gradient == self.options.EXACT
        step = self.weight(top) / max(1, self.violated.size) if exact else 1
        used = self.violated & self.right if self.options.sample and not exact else self.violated
        for sign, wanted, blob in zip((-1, 1), propagate_down, bottom):
            if wanted:
                blob.diff[...] = (used * (sign * step)).reshape(blob.shape)
