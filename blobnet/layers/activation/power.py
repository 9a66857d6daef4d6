"""Power of a linear function."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise


@register
class Power(Elementwise):
    """Scale, shift and raise to a power.

    y = (shift + scale * x) ^ power,   dx = dy * power * scale * y / (shift + scale * x)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself, see Quirks)    Params: none
    Options: power (1), scale (1), shift (0)
    Quirks: where scale or power is 0 the top is the constant shift ^ power. The gradient divides by the base, so it is
    nan where the base is 0, but for the powers 1 and 2. In place, backward overwrites dy before it multiplies with it,
    and dx is the square of the slope, whatever dy was: Caffe did so.
    """

    options_field = "power_param"

    def setup(self, bottom, top):
        self.power, self.scale, self.shift = self.options.power, self.options.scale, self.options.shift
        self.slope = self.power * self.scale

    def _base(self, x, out):
        """out = shift + scale * x"""
        self.xp.multiply(x, self.scale, out=out)
        out += self.shift

    def forward(self, bottom, top):
        y = top[0].data
        if self.slope == 0:
            y.fill(1 if self.power == 0 else self.shift ** self.power)
            return
        self._base(bottom[0].data, y)
        if self.power != 1:
            with np.errstate(invalid="ignore", divide="ignore"):
                self.xp.power(y, self.power, out=y)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dx = bottom[0].diff
        if self.slope == 0 or self.power == 1:
            dx.fill(self.slope)
        elif self.power == 2:
            self._base(bottom[0].data, dx)
            dx *= self.slope
        else:
            self._base(bottom[0].data, dx)
            with np.errstate(invalid="ignore", divide="ignore"):
                self.xp.divide(top[0].data, dx, out=dx)
            dx *= self.slope
        if self.slope != 0:
            dx *= top[0].diff
