"""Exponential linear unit."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class ELU(Elementwise):
    """Pass what is positive, bend the rest towards -alpha.

    y = x if x > 0 else alpha * (exp(x) - 1),   dx = dy if x > 0 else (alpha + y) * dy

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: alpha (1)
    Paper: Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units,
    ICLR 2016.
    Quirks: the derivative at 0 is alpha. In place, backward decides by the sign of y: with an alpha below 0 it treats
    what was negative as positive.
    """

    options_field = "elu_param"

    def scalar(self):
        alpha = self.options.alpha
        return f"where(x > 0, x, {alpha!r} * (exp(min(x, 0)) - 1))", f"where(x > 0, 1, {alpha!r} + y)"

    @classmethod
    def bounds(cls, layer):
        return -layer.elu_param.alpha, math.inf

    def formula(self, x):
        return np.where(x > 0, x, self.options.alpha * (np.exp(x) - 1))

    def forward(self, bottom, top):
        xp = self.xp

        def part(x, y):
            rest = xp.minimum(x, 0)
            xp.exp(rest, out=rest)
            rest -= 1
            rest *= self.options.alpha
            xp.maximum(x, 0, out=y)
            y += rest

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, y, dy, dx):
            slope = (x > 0).astype(self.dtype)
            rest = y + self.options.alpha
            rest *= 1 - slope
            slope += rest
            self.xp.multiply(dy, slope, out=dx)

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].data, top[0].diff, bottom[0].diff)
