"""The loss of deep supervised hashing for given pairs."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import MarginLoss
from blobnet.layers.hashing._hashing_terms import given_pair_terms
from blobnet.ops.quantization import binary_slopes


@register
class PairwiseHashingLoss(MarginLoss):
    """The loss of HashingLoss for pairs that are given, the outputs of the two branches of a Siamese net.

    D_n = ||a_n - b_n||^2, s_n = 1 for a similar pair, else 0

    loss = 1/N * sum_n [ s_n/2 D_n + (1 - s_n)/2 max(m - D_n, 0) + t sum_k (| |a_nk| - 1 | + | |b_nk| - 1 |) ]

    da_n = weight/N * [ c_n (a_n - b_n) + t sign(|a_n| - 1) sign(a_n) ],   db_n likewise with b_n - a_n and b_n,
    c_n = 1 if similar, -1 if not similar and D_n < m, else 0

    Bottoms: codes a (N, K), codes b (as a); similarity s (N,), 0 for unlike pairs
    Tops: loss ()
    Params: none
    Options: hashing_loss_param.bi_margin m (1; the paper uses 2 K), tradeoff t (0.01)
    Paper: Liu et al., Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016, section 3.
    Quirks: the gradient is the derivative; hashing_loss_param.gradient has no effect. s is truncated to an integer
    first, so 0.5 is unlike. Where an element is 0 or -1, its slope counts as +1.
    """

    num_bottoms = 3
    unforced_bottoms = (2,)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        a, b, s = (blob.shape for blob in bottom)
        if a != b or len(a) < 2:
            raise ShapeError(self.where, expected="codes of one shape (N, K)", got=f"{a} and {b}")
        if s[:1] != a[:1] or bottom[2].count != a[0]:
            raise ShapeError(self.where, f"similarity {self.param.bottom[2]!r}", got=s,
                             expected=f"one number a pair, ({a[0]},)")
        self.rows = folded(a, 1)

    def terms(self, place, bottom, top):
        return given_pair_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        a, b = (blob.data.reshape(self.rows) for blob in bottom[:2])
        self.difference = a - b
        distances = self.xp.einsum("nk,nk->n", self.difference, self.difference)
        self.alike = self.xp.trunc(bottom[2].data.reshape(-1)) != 0
        gaps = self.options.bi_margin - distances
        self.signs = self.xp.where(self.alike, 1, -(gaps > 0).astype(gaps.dtype))  # c_n
        self.costs = self.xp.where(self.alike, distances, self.xp.maximum(gaps, 0))
        pull = sum(self.xp.abs(self.xp.abs(u) - 1).sum() for u in (a, b))
        top[0].data[...] = (self.costs.sum() / 2 + self.options.tradeoff * pull) / max(1, len(a))

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        scale = self.weight(top) / max(1, bottom[0].num)
        pairs = self.difference * (scale * self.signs)[:, None]
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                slopes = binary_slopes(blob.data) * (scale * self.options.tradeoff)
                blob.diff[...] = slopes + (sign * pairs).reshape(blob.shape)
