"""The quantization loss of deep hashing networks."""

from __future__ import annotations

import math

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss


@register
class QuantizationLoss(CodeLoss):
    """Every element of a code should be near -1 or +1, by a smooth measure of distance.

    loss = 1/(N K) * sum_nk log cosh(|u_nk| - 1),   du = weight/(N K) * tanh(|u| - 1) sign(u)

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016, section on quantization;
    their lambda is the loss_weight. Written from the paper, and not compared with the figures of the authors' program.
    Quirks: the paper has the sum, here it is the mean over all elements. Where u is 0 the loss has a kink, and the
    slope is 0.
    """

    def forward(self, bottom, top):
        distance = self.xp.abs(self.xp.abs(self.codes(bottom[0].data)) - 1)
        terms = distance + self.xp.log1p(self.xp.exp(-2 * distance)) - math.log(2)  # log cosh, without overflow
        top[0].data[...] = terms.sum() / max(1, terms.size)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            u = self.codes(bottom[0].data)
            slopes = self.xp.tanh(self.xp.abs(u) - 1) * self.xp.sign(u)
            self.xp.multiply(slopes, self.weight(top) / max(1, u.size), out=self.codes(bottom[0].diff))
