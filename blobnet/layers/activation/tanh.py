"""Hyperbolic tangent."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise


@register
class TanH(Elementwise):
    """Squash to (-1, 1).

    y = tanh(x),   dx = dy * (1 - y^2)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: engine (accepted, without effect)
    Paper: LeCun et al., Efficient BackProp, 1998.
    Quirks: none.
    """

    options_field = "tanh_param"

    def forward(self, bottom, top):
        self.xp.tanh(bottom[0].data, out=top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            slope = self.xp.square(top[0].data)
            self.xp.subtract(1, slope, out=slope)
            self.xp.multiply(top[0].diff, slope, out=bottom[0].diff)
