"""Hyperbolic tangent."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise, tanh_backward


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

    def scalar(self):
        return "tanh(x)", "1 - y * y"

    @classmethod
    def bounds(cls, layer):
        return -1, 1

    def forward(self, bottom, top):
        def part(x, y):
            self.xp.tanh(x, out=y)

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            elementwise(tanh_backward, top[0].data, top[0].diff, bottom[0].diff)
