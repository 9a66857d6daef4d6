"""Logistic sigmoid."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise
from blobnet.ops.softmax import sigmoid, sigmoid_backward


@register
class Sigmoid(Elementwise):
    """Squash to (0, 1).

    y = 1 / (1 + exp(-x)),   dx = dy * y * (1 - y)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: engine (accepted, without effect)
    Paper: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986.
    Quirks: none.
    """

    options_field = "sigmoid_param"

    def scalar(self):
        return "1 / (1 + exp(-x))", "y * (1 - y)"

    @classmethod
    def bounds(cls, layer):
        return 0, 1

    def forward(self, bottom, top):
        elementwise(sigmoid, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            elementwise(sigmoid_backward, top[0].data, top[0].diff, bottom[0].diff)
