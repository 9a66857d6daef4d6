"""Exercise to lesson 06: the hyperbolic tangent and its slope.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/06_tanh.py

compare forward with TanH's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(layer='layer { name: "squash" type: "MyTanH" bottom: "x" top: "y" }', bottoms=[(3, 4)],
                    same_as="TanH")


@register
class MyTanH(Layer):
    """Squash every number to (-1, 1).

    y = (exp(2 x) - 1) / (exp(2 x) + 1),   dx = dy * 4 exp(2 x) / (exp(2 x) + 1)^2

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Paper: LeCun et al., Efficient BackProp, 1998.
    Quirks: runs on the CPU only.
    """

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        x = bottom[0].data
        # The formula of the page, for which NumPy has a function.
        y = ...
        top[0].data[:] = y

    def backward(self, top, propagate_down, bottom):
        y, dy = top[0].data, top[0].diff
        if propagate_down[0]:
            # The derivative of y with respect to x, said with y alone: 1 where y is 0, and 0 where y is 1 or -1.
            slope = ...
            # The chain rule.
            dx = ...
            bottom[0].diff[:] = dx
