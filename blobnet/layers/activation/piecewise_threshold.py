"""Piece-wise threshold of codes."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class PiecewiseThreshold(Elementwise):
    """Make elements of a code that are far from one half exactly 0 or 1, and let the others learn.

    y = 0 if x < 1/2 - e,  x if 1/2 - e <= x <= 1/2 + e,  1 if x > 1/2 + e;   dx = dy in the middle case, else 0

    Bottoms: x (any shape), from a Sigmoid    Tops: y (as x; may be x itself)    Params: none
    Options: epsilon e (0.4), from 0, a step, to 0.5, which changes nothing between 0 and 1
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015, the
    divide-and-encode module, of which it says only that e is small and positive.
    Quirks: the gradient is that of each piece and does not see the jumps between them. A nan stays one. In place, where
    backward sees y, and with e = 0.5 elements below 0 and above 1 get a gradient too.
    """

    options_field = "piecewise_threshold_param"

    @classmethod
    def bounds(cls, layer):
        return (0, 1) if layer.piecewise_threshold_param.epsilon < 0.5 else None

    def setup(self, bottom, top):
        if not 0 <= self.options.epsilon <= 0.5:
            raise NetError(self.where, expected="epsilon from 0 to 0.5", got=self.options.epsilon)
        self.low, self.high = 0.5 - self.options.epsilon, 0.5 + self.options.epsilon

    def scalar(self):
        low, high = self.low, self.high
        return (f"where(x < {low!r}, 0, where(x > {high!r}, 1, x))",
                f"where(x >= {low!r}, where(x <= {high!r}, 1, 0), 0)")

    def forward(self, bottom, top):
        def part(x, y):
            y[...] = self.xp.where(x < self.low, 0, self.xp.where(x > self.high, 1, x))

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            middle = x >= self.low
            middle &= x <= self.high
            self.xp.multiply(dy, middle, out=dx)

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
