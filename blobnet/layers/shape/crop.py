"""Cropping to the size of another blob."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.shape._cropping import Cropping


@register
class Crop(Cropping):
    """Cut a part out of a blob, as large as another blob.

    y = x[..., o_k : o_k + size_k, ...] on every axis k from `axis` on,   dx = dy in that part, else 0,   dr = 0

    Bottoms: x (N, C, H, W); r, of which only the sizes from `axis` on count
    Tops: y (N, C, P, Q), with P and Q the sizes of r
    Params: none
    Options: axis (2; negative from the end), the first axis that is cut; offset o (0): one for all cut axes, or one
    for each
    Paper: Long, Shelhamer and Darrell, Fully Convolutional Networks for Semantic Segmentation, CVPR 2015.
    Quirks: the axes of r before `axis` may have any size.
    """

    @classmethod
    def coordinates(cls, layer):
        return layer.crop_param.axis - 1, 1, -np.array([*layer.crop_param.offset] or [0])

    def reshape(self, bottom, top):
        shape, sizes = bottom[0].shape, bottom[1].shape
        axis = bottom[0].canonical_axis(self.options.axis, self.where)
        offsets = list(self.options.offset) or [0]
        if len(offsets) == 1:
            offsets *= len(shape) - axis
        if len(offsets) != len(shape) - axis:
            raise NetError(self.where, expected=f"offset once or {len(shape) - axis} times, for the axes of {shape} "
                           f"from {axis} on", got=f"{len(offsets)} times")
        if len(sizes) < len(shape):
            raise ShapeError(self.where, f"bottom 1 {self.param.bottom[1]!r}", expected=f"at least {len(shape)} axes",
                             got=sizes)
        for k, offset in enumerate(offsets, axis):
            if offset + sizes[k] > shape[k]:
                raise ShapeError(self.where, f"axis {k} is too short", expected=f"at least {sizes[k]} after the "
                                 f"offset {offset}", got=shape, hint=f"{self.param.bottom[1]!r} is {sizes}")
        self.part = (slice(None),) * axis + tuple(slice(offset, offset + sizes[k])
                                                  for k, offset in enumerate(offsets, axis))
        top[0].reshape((*shape[:axis], *sizes[axis:len(shape)]))
