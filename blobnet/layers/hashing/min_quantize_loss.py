"""The quantization loss of DeepBit."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._spare_bottom import SpareBottomLoss


@register
class MinQuantizeLoss(SpareBottomLoss):
    """Every element should be as near as possible to the bit it becomes.

    b = 1 where h > 0.5, else 0,   loss = 1/(2 N) * sum_nk (b_nk - h_nk)^2

    dh = weight/(N^2 K) * T, one number for all elements;   T: sum_nk (h_nk - b_nk) h_nk, added up over all forwards

    Bottoms: h (N, K); a second blob of its shape, which is not read
    Tops: loss ()
    Params: none
    Options: published_gradient_param.gradient
    Paper: Lin et al., Learning Compact Binary Descriptors with Unsupervised Deep Neural Networks, CVPR 2016.
    Quirks: the published gradient, shown above, shifts all elements by one number. T grows as long as the net lives; a
    snapshot does not keep it. The second bottom receives the negative of the gradient. gradient: EXACT is the
    derivative, weight/N * (h - b).
    """

    spare_sign = -1
    replays = False  # T is a new array after each forward

    def setup(self, bottom, top):
        self.total = 0.0

    def forward(self, bottom, top):
        h = self.codes(bottom[0].data)
        self.residue = h - (h > 0.5)
        self.total = self.total + (self.residue * h).sum()
        flat = self.residue.reshape(-1)
        top[0].data[...] = flat @ flat / max(1, len(h)) / 2

    def published(self):
        n, k = self.rows
        return self.total / max(1, n * n * k)

    def exact(self):
        return self.residue / max(1, self.rows[0])
