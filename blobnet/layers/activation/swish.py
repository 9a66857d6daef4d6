"""Swish: a linear unit with its own gate."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise
from blobnet.ops.softmax import sigmoid


@register
class Swish(Elementwise):
    """Weigh every number with a sigmoid of itself.

    y = x * s,   s = 1 / (1 + exp(-beta * x)),   dx = dy * (beta * y + s * (1 - beta * y))

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: beta (1)
    Paper: Ramachandran, Zoph and Le, Searching for Activation Functions, 2017.
    Quirks: none.
    """

    options_field = "swish_param"

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.gate = self.xp.empty(bottom[0].shape, self.dtype)

    def scalar(self):
        beta = self.options.beta
        gate = f"1 / (1 + exp(-{beta!r} * x))"
        return f"x * {gate}", f"{beta!r} * y + {gate} * (1 - {beta!r} * y)"

    def formula(self, x):
        return x / (1 + np.exp(-self.options.beta * x))

    def forward(self, bottom, top):
        def part(x, gate, y):
            self.xp.multiply(x, self.options.beta, out=gate)
            sigmoid(gate, gate)
            self.xp.multiply(x, gate, out=y)

        elementwise(part, bottom[0].data, self.gate, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(y, gate, dy, dx):
            inner = y * self.options.beta
            slope = 1 - inner
            slope *= gate
            slope += inner
            self.xp.multiply(dy, slope, out=dx)

        if propagate_down[0]:
            elementwise(part, top[0].data, self.gate, top[0].diff, bottom[0].diff)
