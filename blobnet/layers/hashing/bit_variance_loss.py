"""The balance term of deep hashing."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._base import CodeLoss


@register
class BitVarianceLoss(CodeLoss):
    """The elements of the codes should vary much over the batch, which makes their bits balanced.

    v_n = u_n - mean of u,   loss = -1/(2 N) * sum_n ||v_n||^2,   du_n = -weight/N * v_n

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Paper: Erin Liong, Lu, Wang, Moulin and Zhou, Deep Hashing for Compact Binary Codes Learning, CVPR 2015: its balance
    term, -lambda_1/2 tr(1/N H H^T), written there for codes of mean 0.
    Quirks: negative, and without a lower bound unless the codes have one (TanH). The paper's term does not subtract the
    mean; here it is subtracted, because otherwise equal codes for all images would be the best of all.
    """

    def forward(self, bottom, top):
        u = self.codes(bottom[0].data)
        self.centred = u - u.sum(axis=0) / max(1, self.rows[0])
        top[0].data[...] = -self.xp.square(self.centred).sum() / max(1, self.rows[0]) / 2

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            factor = -self.weight(top) / max(1, self.rows[0])
            self.xp.multiply(self.centred, factor, out=self.codes(bottom[0].diff))
