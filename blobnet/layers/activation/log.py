"""Logarithm."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise, log_of_base
from blobnet.ops.elementwise import elementwise


@register
class Log(Elementwise):
    """Take the logarithm of a linear function.

    y = log(shift + scale * x) / log(base),   dx = dy * scale / log(base) / (shift + scale * x)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself, see Quirks)    Params: none
    Options: base (-1, which stands for e; else above 0 and not 1), scale (1), shift (0)
    Paper: none.
    Quirks: numbers below 0 become nan, 0 becomes -inf. In place, backward uses y in the place of x, and overwrites dy
    before it multiplies with it: dx is the square of the slope at y, whatever dy was, as in Caffe.
    """

    options_field = "log_param"

    def setup(self, bottom, top):
        number, logarithm = self.dtype.type, log_of_base(self)
        if logarithm == 0:
            raise NetError(self.where, expected="a base other than 1", got=f"base {self.options.base}")
        self.factor = float(number(1) / logarithm)
        self.slope = float(number(self.options.scale) / logarithm)

    def _argument(self, x, out):
        """out = shift + scale * x"""
        self.xp.multiply(x, self.options.scale, out=out)
        out += self.options.shift

    def scalar(self):
        argument = f"({self.options.shift!r} + {self.options.scale!r} * x)"
        return f"{self.factor!r} * log({argument})", f"{self.slope!r} / {argument}"

    def formula(self, x):
        base = np.e if self.options.base == -1 else self.options.base
        return np.log(self.options.shift + self.options.scale * x) / np.log(base)

    def forward(self, bottom, top):
        def part(x, y):
            self._argument(x, y)
            self.xp.log(y, out=y)
            y *= self.factor

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            self._argument(x, dx)
            self.xp.reciprocal(dx, out=dx)
            dx *= self.slope
            dx *= dy

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
