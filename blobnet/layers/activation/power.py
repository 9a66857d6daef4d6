"""Power of a linear function."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class Power(Elementwise):
    """Scale, shift and raise to a power.

    y = (shift + scale * x) ^ power,   dx = dy * power * scale * y / (shift + scale * x)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself, see Quirks)    Params: none
    Options: power (1), scale (1), shift (0)
    Paper: none.
    Quirks: where scale or power is 0 the top is the constant shift ^ power. The gradient divides by the base, so it is
    nan where the base is 0, except for the powers 1 and 2. In place, backward overwrites dy before it multiplies with
    it: dx is the square of the slope, whatever dy was, as in Caffe.
    """

    options_field = "power_param"

    def setup(self, bottom, top):
        self.power, self.scale, self.shift = self.options.power, self.options.scale, self.options.shift
        self.slope = self.power * self.scale
        with np.errstate(all="ignore"):  # (-1) ^ 0.5 is nan, 0 ^ -1 is inf
            self.constant = np.power(self.dtype.type(self.shift), self.dtype.type(self.power))

    def _base(self, x, out):
        """out = shift + scale * x"""
        self.xp.multiply(x, self.scale, out=out)
        out += self.shift

    def scalar(self):
        base = f"({self.shift!r} + {self.scale!r} * x)"
        if self.slope == 0:
            return repr(float(self.constant)), "0"
        slope = {1: f"{self.slope!r}", 2: f"{self.slope!r} * {base}"}.get(self.power, f"{self.slope!r} * y / {base}")
        return f"pow({base}, {self.power!r})", slope

    def formula(self, x):
        return (self.options.shift + self.options.scale * x) ** self.options.power

    def forward(self, bottom, top):
        def part(x, y):
            self._base(x, y)
            if self.power != 1:
                y **= self.power

        if self.slope == 0:
            top[0].data.fill(self.constant)
        else:
            elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, y, dy, dx):
            if self.power == 1:
                dx.fill(self.slope)
            else:
                self._base(x, dx)
                if self.power != 2:
                    self.xp.divide(y, dx, out=dx)
                dx *= self.slope
            dx *= dy

        if propagate_down[0] and self.slope == 0:
            bottom[0].diff.fill(0)
        elif propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].data, top[0].diff, bottom[0].diff)
