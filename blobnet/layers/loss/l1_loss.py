"""The sum of absolute differences."""

from __future__ import annotations

import math

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class L1Loss(LossLayer):
    """Mean distance between two batches of vectors, as the sum of the absolute differences of their elements.

    loss = 1/N * sum_n sum_k |a_nk - b_nk|,   da = weight/N * sign(a - b),   db = -da

    Bottoms: a (N, ...), b (N, ...) with as many elements a row
    Tops: loss ()
    Params: none
    Paper: Boscovich, De litteraria expeditione per pontificiam ditionem, 1757 (least absolute deviations); the layer is
    of NVIDIA's fork, where DetectNet has it.
    Quirks: the sum runs over all elements of a row but the mean over rows only. Where a = b the gradient is 0.
    """

    unforced_bottoms = ()

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        rows = [math.prod(blob.shape[1:]) for blob in bottom]
        if rows[0] != rows[1]:
            raise ShapeError(self.where, expected="as many elements a row in both bottoms",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        self.batch = max(1, bottom[0].shape[0])

    def forward(self, bottom, top):
        self.difference = bottom[0].data - bottom[1].data.reshape(bottom[0].shape)
        top[0].data[...] = self.xp.abs(self.difference).sum() / self.batch

    def backward(self, top, propagate_down, bottom):
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                self.xp.sign(self.difference.reshape(blob.shape), out=blob.diff)
                blob.diff[...] *= sign * self.weight(top) / self.batch
