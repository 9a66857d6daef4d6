"""The even distribution of the bits of DeepBit."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._spare_bottom import SpareBottomLoss


@register
class EvenDistLoss(SpareBottomLoss):
    """Every bit should be 1 in half of the batch.

    b = 1 where h > 0.5, else 0,   m_k = 1/N * sum_n b_nk,   loss = 1/(2 N) * sum_k (m_k - 0.5)^2

    dh = weight/(N^2 K) * sum_k (m_k - 0.5), one number for all elements

    Bottoms: h (N, K); a second blob of its shape, which is not read
    Tops: loss ()
    Params: none
    Options: published_gradient_param.gradient
    Paper: Lin et al., Learning Compact Binary Descriptors with Unsupervised Deep Neural Networks, CVPR 2016.
    Quirks: the published gradient, shown above, shifts all bits by one number, their mean distance from balance, and
    the second bottom receives its negative. gradient: EXACT is the derivative: 0, because b jumps.
    """

    spare_sign = -1

    def forward(self, bottom, top):
        bits = self.codes(bottom[0].data) > 0.5
        self.imbalance = bits.sum(axis=0) / max(1, len(bits)) - (0.5 if len(bits) else 0)
        top[0].data[...] = self.imbalance @ self.imbalance / max(1, len(bits)) / 2

    def published(self):
        n, k = self.rows
        return self.imbalance.sum() / max(1, n * n * k)

    def exact(self):
        return 0
