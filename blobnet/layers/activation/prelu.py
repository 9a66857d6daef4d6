"""Rectified linear unit with a learned slope."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import relu_backward, relu_forward, relu_slope_gradient
from blobnet.proto.messages import new


@register
class PReLU(Elementwise):
    """Pass what is positive, scale down what is not by a slope that each channel learns.

    y = max(x, 0) + slope_c * min(x, 0),   dx = dy if x > 0 else slope_c * dy,
    dslope_c += sum of dy * min(x, 0) over the channel

    Bottoms: x (N, C), (N, C, H) or (N, C, H, W)    Tops: y (as x; may be x itself)
    Params: slope (C), or a scalar () with channel_shared
    Options: filler (constant 0.25), channel_shared (false): one slope for all channels
    Paper: He et al., Delving Deep into Rectifiers, ICCV 2015.
    Quirks: the derivative at 0 is the slope. In place, a copy of x is kept for backward.
    """

    options_field = "prelu_param"
    param_names = ("weight",)
    legacy_axes = (1,)

    def setup(self, bottom, top):
        options = self.options
        self._check_axes(bottom[0])
        self.channels = bottom[0].channels
        filler = options.filler if options.HasField("filler") else new("FillerParameter", type="constant", value=0.25)
        self.add_param(() if options.channel_shared else (self.channels,), filler)

    def reshape(self, bottom, top):
        self._check_axes(bottom[0])
        shape = bottom[0].shape
        if shape[1] != self.channels and not self.options.channel_shared:
            raise ShapeError(self.where, expected=f"{self.channels} channels, as the slopes have", got=shape)
        top[0].reshape(shape)
        self.grouped = folded(shape, 1, 2)
        self.kept = self.xp.empty(self.grouped, self.dtype) if top[0] is bottom[0] else None

    def _check_axes(self, blob):
        if not 2 <= blob.num_axes <= 4:
            raise ShapeError(self.where, expected="2 to 4 axes, channels on the second", got=blob.shape,
                             hint="reshape the bottom before")

    def _group(self, array):
        """`array` as (N, C, positions)"""
        return array.reshape(self.grouped)

    def _slope(self):
        return self.param_data(0).reshape(-1, 1)

    def formula(self, x, slope):
        x = x.reshape(self.grouped)
        return np.maximum(x, 0) + slope.reshape(-1, 1) * np.minimum(x, 0)

    def forward(self, bottom, top):
        if self.kept is not None:
            self.kept[...] = self._group(bottom[0].data)
        relu_forward(self._group(bottom[0].data), self._slope(), self._group(top[0].data))

    def backward(self, top, propagate_down, bottom):
        x = self._group(bottom[0].data) if self.kept is None else self.kept
        dy = self._group(top[0].diff)
        if self.param_propagate_down[0]:  # first, for in place dx overwrites dy
            gradient, slope_diff = relu_slope_gradient(x, dy), self.param_diff(0)
            slope_diff += gradient.sum() if self.options.channel_shared else gradient
        if propagate_down[0]:
            relu_backward(x, dy, self._slope(), self._group(bottom[0].diff))
