"""Hyperbolic tangent of a growing scale."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class ScaleTanH(Elementwise):
    """Squash to (-1, 1), with a slope that grows while training until y is nearly the sign of x.

    y = tanh(s x),   dx = dy * s * (1 - y^2),   s = init_scale * (1 + gamma * t)^power,
    t = the largest multiple of step_size in 1 + f, at the f-th forward; s = init_scale while there is none

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: init_scale (1), step_size (200), gamma (1), power (0: s stays init_scale)
    Paper: Cao et al., HashNet: Deep Learning to Hash by Continuation, ICCV 2017, section 3.2.
    Quirks: f counts the forwards of its own net, and building the net counts as one: a test net begins with f = 1,
    whatever the training net has reached; the sign of y, which makes the code, is the same for any s. The fork forgot f
    when training was resumed from a snapshot; here it goes on.
    """

    options_field = "scale_tanh_param"
    replays = False  # its slope follows the step

    @classmethod
    def bounds(cls, layer):
        return -1, 1

    def setup(self, bottom, top):
        if self.options.step_size < 1:
            raise NetError(self.where, expected="step_size of at least 1", got=self.options.step_size)

    def formula(self, x):
        options, f = self.options, self.context.step + 1
        t = (1 + f) // options.step_size * options.step_size
        return np.tanh(x * options.init_scale * ((1 + options.gamma * t) ** options.power if t else 1))

    def scalar(self):
        return f"tanh({self.scale!r} * x)", f"{self.scale!r} * (1 - y * y)"

    def scale_at(self, step: int) -> float:
        """s at the forward after `step` others."""
        options, forwards = self.options, step + 2
        growth = 1 + options.gamma * (forwards - forwards % options.step_size)
        return options.init_scale * (growth ** options.power if forwards >= options.step_size else 1)

    def forward(self, bottom, top):
        self.scale = self.scale_at(self.context.step)

        def part(x, y):
            self.xp.multiply(x, self.scale, out=y)
            self.xp.tanh(y, out=y)

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(y, dy, dx):
            slope = self.xp.square(y)
            self.xp.subtract(1, slope, out=slope)
            slope *= self.scale
            self.xp.multiply(dy, slope, out=dx)

        if propagate_down[0]:
            elementwise(part, top[0].data, top[0].diff, bottom[0].diff)
