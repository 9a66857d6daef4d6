"""The second bit term of semantics-preserving hashing."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._spare_bottom import HalfwayLoss


@register
class K2_EuclideanLoss(HalfwayLoss):
    """Pull numbers towards 0.5. If they are the means of codes, half of the bits of each code become 1.

    loss = 1/(2 N K) * sum_nk (h_nk - 0.5)^2,   dh = weight/(N K) * (h - 0.5)

    Bottoms: h (N, K), in the paper the means of the codes (N, 1); a second blob of its shape, which is not read
    Tops: loss ()
    Params: none
    Options: published_gradient_param.gradient
    Paper: Yang et al., Supervised Learning of Semantics-Preserving Hash via Deep Convolutional Neural Networks, PAMI
    2018: the term that gives a bit an equal chance of both values.
    Quirks: the second bottom receives the gradient of the first, so that naming h twice doubles it; gradient: EXACT
    gives it 0.
    """

    def formula(self, h, _):
        return ((h - 0.5) ** 2).sum() / (2 * h.size)
