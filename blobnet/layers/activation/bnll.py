"""Binomial normal log likelihood, also known as softplus."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise

LARGEST = 50  # exp of more might overflow, and the slope is 1 there anyway


@register
class BNLL(Elementwise):
    """A ReLU without the kink.

    y = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)),   dx = dy * e / (e + 1),   e = exp(min(x, 50))

    Bottoms: x (any shape)    Tops: y (as x; may be x itself, see Quirks)    Params: none
    Paper: Dugas et al., Incorporating Second-Order Functional Knowledge for Better Option Pricing, NIPS 2000.
    Quirks: in place, backward uses y in the place of x, so dx is larger than the derivative, as in Caffe.
    """

    def scalar(self):
        rising = f"exp(min(x, {LARGEST}))"
        return "max(x, 0) + log1p(exp(-abs(x)))", f"{rising} / ({rising} + 1)"

    def formula(self, x):
        return np.logaddexp(0, x)

    def forward(self, bottom, top):
        xp = self.xp

        def part(x, y):
            rest = xp.abs(x)
            xp.negative(rest, out=rest)
            xp.exp(rest, out=rest)
            xp.log1p(rest, out=rest)
            xp.maximum(x, 0, out=y)
            y += rest

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            slope = self.xp.minimum(x, LARGEST)
            self.xp.exp(slope, out=slope)
            slope /= slope + 1
            self.xp.multiply(dy, slope, out=dx)

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
