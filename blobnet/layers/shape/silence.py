"""Silence."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register


@register
class Silence(Layer):
    """Take blobs that nobody reads, so that they do not count as outputs of the net.

    dx_i = 0

    Bottoms: x_0, x_1, ... (any shapes)    Tops: none    Params: none
    Paper: none.
    Quirks: a loss that this layer reads does not run backward, so nothing learns from it, unless the prototxt writes
    its loss_weight.
    """

    num_bottoms = (1, None)
    num_tops = 0

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
