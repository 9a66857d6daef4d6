"""Cropping to what lies under another blob."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.shape._alignment import crop_offsets
from blobnet.layers.shape._cropping import Cropping


@register
class AutoCrop(Cropping):
    """Cut out of a blob the part that lies over another blob, as the layers between them tell.

    y[n, c, p, q] = x[n, c, o_0 + p, o_1 + q],   dx = dy in that part, else 0,   dr = 0
    o: with a, b the maps of places from the blob where x and r meet to x and to r, b(a^-1(o)) = 0

    Bottoms: x (N, C, H, W); r (N, C', P, Q), of which only height and width count    Tops: y (N, C, P, Q)
    Params: none
    Options: offset of crop_param (found when the net is built; what is written there has no effect)
    Paper: Liu et al., Richer Convolutional Features for Edge Detection, CVPR 2017.
    Quirks: x and r are followed back through the first bottoms of layers alone. Both must have the same scale, and o is
    whole and not negative. A convolution or pooling maps place h to (h + pad - (reach - 1) / 2) / stride, where reach
    is dilation * (R - 1) + 1; a deconvolution maps back; layers that work element by element keep places.
    """

    @classmethod
    def complete(cls, layer, below):
        if len(layer.bottom) == 2:
            layer.crop_param.offset[:] = crop_offsets(layer, below)

    @classmethod
    def coordinates(cls, layer):
        return 1, 1, -np.array([*layer.crop_param.offset] or [0])

    def reshape(self, bottom, top):
        shape, size = bottom[0].shape, bottom[1].shape
        for i, blob in enumerate(bottom):
            if blob.num_axes != 4:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", expected="4 axes (N, C, H, W)",
                                 got=blob.shape)
        offsets = np.broadcast_to(list(self.options.offset) or 0, 2).tolist()
        if any(offset + count > room for offset, count, room in zip(offsets, size[2:], shape[2:])):
            raise ShapeError(self.where, expected=f"{size[2]} x {size[3]} places after {offsets[0]} and {offsets[1]}",
                             got=shape, hint=f"{self.param.bottom[1]!r} is {size}")
        self.part = (..., *(slice(offset, offset + count) for offset, count in zip(offsets, size[2:])))
        top[0].reshape((*shape[:2], *size[2:]))
