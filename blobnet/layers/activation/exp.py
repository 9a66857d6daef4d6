"""Exponential function."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise, log_of_base
from blobnet.ops.elementwise import elementwise


@register
class Exp(Elementwise):
    """Raise a base to a linear function.

    y = base ^ (shift + scale * x) = outer * exp(inner * x),   dx = dy * y * inner,
    inner = scale * log(base),   outer = base ^ shift

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: base (-1, which stands for e; else above 0), scale (1), shift (0)
    Paper: none.
    Quirks: outer is computed by itself: where base ^ shift is inf or 0, so is y, even if the whole power is not.
    """

    options_field = "exp_param"

    def setup(self, bottom, top):
        number, options = self.dtype.type, self.options
        logarithm, shift = log_of_base(self), number(options.shift)
        self.inner = float(logarithm * number(options.scale))
        with np.errstate(over="ignore"):
            self.outer = float(np.exp(shift) if options.base == -1 else number(options.base) ** shift)

    def scalar(self):
        return f"{self.outer!r} * exp({self.inner!r} * x)", f"{self.inner!r} * y"

    def formula(self, x):
        base = np.e if self.options.base == -1 else self.options.base
        return base ** (self.options.shift + self.options.scale * x)

    def forward(self, bottom, top):
        def part(x, y):
            self.xp.multiply(x, self.inner, out=y)
            self.xp.exp(y, out=y)
            y *= self.outer

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(y, dy, dx):
            self.xp.multiply(y, dy, out=dx)
            dx *= self.inner

        if propagate_down[0]:
            elementwise(part, top[0].data, top[0].diff, bottom[0].diff)
