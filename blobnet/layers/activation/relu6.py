"""Rectified linear unit with a ceiling."""

from __future__ import annotations

import math

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class ReLU6(Elementwise):
    """Pass what is between 0 and a ceiling, scale down what is below.

    y = min(x, n) if x > 0 else slope * x,   dx = dy if 0 < x < n, slope * dy if x <= 0, else 0

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: relu6_param.negative_slope (0; of MobileNet-YOLO's program), n (6; of OpenVINO's)
    Paper: Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010; Sandler et al., MobileNetV2: Inverted
    Residuals and Linear Bottlenecks, CVPR 2018.
    Quirks: nothing goes through at n, at 0 slope * dy. In place, backward decides by y.
    """

    options_field = "relu6_param"
    rectifies = True

    @classmethod
    def bounds(cls, layer):
        return -math.inf, layer.relu6_param.n

    def setup(self, bottom, top):
        if not self.options.n > 0:
            raise NetError(self.where, expected="n above 0", got=f"{self.options.n:g}")
        if not self.options.negative_slope >= 0:
            raise NetError(self.where, expected="negative_slope of at least 0", got=f"{self.options.negative_slope:g}")

    def scalar(self):
        slope, n = self.options.negative_slope, self.options.n
        return f"where(x > 0, min(x, {n!r}), {slope!r} * x)", f"where(x > 0, where(x < {n!r}, 1, 0), {slope!r})"

    def forward(self, bottom, top):
        def part(x, y):
            below = self.options.negative_slope * self.xp.minimum(x, 0) if self.options.negative_slope else 0
            self.xp.clip(x, 0, self.options.n, out=y)
            y += below

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            factor = (x < self.options.n).astype(x.dtype)
            self.xp.copyto(factor, self.options.negative_slope, where=x <= 0)
            self.xp.multiply(dy, factor, out=dx)

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
