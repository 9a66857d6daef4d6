"""Absolute value."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class AbsVal(Elementwise):
    """Drop the sign.

    y = |x|,   dx = sign(x) * dy

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Paper: none.
    Quirks: the derivative at 0 is 0. Refuses to work in place, where backward could not know the sign.
    """

    in_place = False

    def scalar(self):
        return "abs(x)", "sign(x)"

    def forward(self, bottom, top):
        def part(x, y):
            self.xp.abs(x, out=y)

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            self.xp.sign(x, out=dx)
            dx *= dy

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
