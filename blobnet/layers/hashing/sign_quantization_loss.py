"""The quantization term of deep hashing."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss


@register
class SignQuantizationLoss(CodeLoss):
    """Every element of a code should be as near as possible to its sign.

    b = +1 where u >= 0, else -1,   loss = 1/(2 N) * ||b - u||^2,   du = weight/N * (u - b)

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Paper: Erin Liong, Lu, Wang, Moulin and Zhou, Deep Hashing for Compact Binary Codes Learning, CVPR 2015: its first
    term, 1/2 ||B - H||^2 with B = sgn(H).
    Quirks: the mean over the batch, as Caffe's losses have it, where the paper has the sum. b jumps at u = 0, where the
    loss has a kink; there the slope is that of the positive side.
    """

    def forward(self, bottom, top):
        u = self.codes(bottom[0].data)
        self.difference = u - self.xp.where(u >= 0, 1, -1).astype(self.dtype)
        top[0].data[...] = self.xp.square(self.difference).sum() / max(1, self.rows[0]) / 2

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            factor = self.weight(top) / max(1, self.rows[0])
            self.xp.multiply(self.difference, factor, out=self.codes(bottom[0].diff))
