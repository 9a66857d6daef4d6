"""Rectified linear unit."""

from __future__ import annotations

from blobnet.core.joined import RECTIFIER
from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import relu_backward, relu_forward


@register
class ReLU(Elementwise):
    """Pass what is positive, scale down what is not.

    y = x if x > 0 else slope * x,   dx = dy if x > 0 else slope * dy

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: negative_slope (0), engine (accepted, without effect)
    Paper: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, ICML 2010;
    Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML 2013 (slope).
    Quirks: the derivative at 0 is the slope. In place, backward decides by the sign of y: with a slope below 0 it
    treats what was negative as positive.
    """

    options_field = "relu_param"
    rectifies = True

    def scalar(self):
        slope = self.options.negative_slope
        return f"where(x > 0, x, {slope!r} * x)" if slope else "max(x, 0)", f"where(x > 0, 1, {slope!r})"

    def forward(self, bottom, top):
        relu_forward(bottom[0].data.reshape(-1), self.options.negative_slope, top[0].data.reshape(-1))

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            relu_backward(bottom[0].data.reshape(-1), top[0].diff.reshape(-1), self.options.negative_slope,
                          bottom[0].diff.reshape(-1))

    def link(self):
        return "" if self.options.negative_slope else RECTIFIER
