"""The sum of absolute differences."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.loss._differences import DifferenceLoss


@register
class L1Loss(DifferenceLoss):
    """Mean distance between two batches of vectors, as the sum of the absolute differences of their elements.

    loss = 1/N * sum_n sum_k |a_nk - b_nk|,   da = weight/N * sign(a - b),   db = -da

    Bottoms: a (N, ...), b (N, ...) with as many elements a row
    Tops: loss ()
    Params: none
    Paper: Boscovich, De litteraria expeditione per pontificiam ditionem, 1757 (least absolute deviations); the layer is
    of NVIDIA's fork, where DetectNet has it.
    Quirks: the sum runs over all elements of a row but the mean over rows only. Where a = b the gradient is 0.
    """

    def forward(self, bottom, top):
        top[0].data[...] = self.xp.abs(self.subtract(bottom)).sum() / self.batch

    def backward(self, top, propagate_down, bottom):
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                self.xp.sign(self.difference.reshape(blob.shape), out=blob.diff)
                blob.diff[...] *= sign * self.weight(top) / self.batch
