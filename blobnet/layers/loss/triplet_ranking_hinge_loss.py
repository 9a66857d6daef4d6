"""Triplet ranking loss over three bottoms."""

from __future__ import annotations

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.errors import NetError, ShapeError
from blobnet.layers.loss._row_terms import triplet_terms


@register
class TripletRankingHingeLoss(LossLayer):
    """The code of the similar image must be nearer to the query's than that of the other, by a margin.

    h_n = max(0, m + ||a_n - p_n||^2 - ||a_n - q_n||^2),   loss = 1/N * sum_n h_n

    da_n = 4/N * (q_n - p_n),   dp_n = 4/N * (p_n - a_n),   dq_n = 4/N * (a_n - q_n) where h_n > 0, else 0

    Bottoms: queries a (N, C), similar p, others q (as a), with no further axes but of size 1
    Tops: loss ()
    Params: none
    Options: triplet_ranking_hinge_loss_param.dim (10), which must be C; margin m (1); gradient
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015,
    section 3.1: its triplet ranking loss, relaxed from Hamming to squared Euclidean distances.
    Quirks: the published gradient, shown above, is twice the derivative and ignores loss_weight; if a gets no gradient,
    those of p and q are 0. gradient: EXACT is the derivative of the weighted loss for each of them.
    """

    options_field = "triplet_ranking_hinge_loss_param"
    published_gradient = True
    num_bottoms = 3
    unforced_bottoms = ()

    def reshape(self, bottom, top):
        a, p, q = (blob.shape for blob in bottom)
        if not a or p != a or q != a or any(size != 1 for size in a[2:]):
            raise ShapeError(self.where, expected="three bottoms of one shape (N, C), further axes of size 1",
                             got=f"{a}, {p} and {q}")
        channels = a[1] if len(a) > 1 else 1
        if self.options.dim != channels:
            raise NetError(self.where, expected=f"dim {channels}, as codes of shape {a} have", got=self.options.dim)
        self.rows = a[0], channels
        top[0].reshape(())

    def terms(self, place, bottom, top):
        count, exact = max(1, len(self.gaps)), self.options.gradient == self.options.EXACT
        anchored = all(self.param.propagate_down[:1])  # without a gradient of a there is none of p and q
        down = (Factor(2 / count, None, "2 / N"), self.weight_factor(top)) if exact else (
            Factor(4 / count * anchored, None, "4 / N, as published"),)
        return triplet_terms(place, bottom, self.violated, self.gaps, 1 / count, down, self.rows)

    def forward(self, bottom, top):
        a, p, q = (blob.data.reshape(self.rows) for blob in bottom)
        near, far = a - p, a - q
        gaps = self.options.margin + self.xp.einsum("nc,nc->n", near, near) - self.xp.einsum("nc,nc->n", far, far)
        self.gaps, self.violated = gaps, gaps > 0
        top[0].data[...] = self.xp.maximum(gaps, 0).sum() / max(1, len(gaps))

    def backward(self, top, propagate_down, bottom):
        a, p, q = (blob.data.reshape(self.rows) for blob in bottom)
        exact = self.options.gradient == self.options.EXACT
        factor = 2 * self.weight(top) if exact else 4 * bool(propagate_down[0])
        scale = (self.violated * (factor / max(1, len(a))))[:, None]
        for wanted, blob, (x, y) in zip(propagate_down, bottom, ((q, p), (p, a), (a, q))):
            if wanted:
                self.xp.multiply(x - y, scale, out=blob.diff.reshape(self.rows))
