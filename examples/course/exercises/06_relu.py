"""Exercise to lesson 06: the rectified linear unit with a slope below 0.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/06_relu.py

compare forward with ReLU's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer='layer { name: "act" type: "MyReLU" bottom: "x" top: "y" relu_param { negative_slope: 0.25 } }',
    bottoms=[(3, 4)], same_as="ReLU")


@register
class MyReLU(Layer):
    """Pass what is positive, scale down what is not.

    y = x if x > 0 else slope * x,   dx = dy if x > 0 else slope * dy

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Options: relu_param.negative_slope, the slope (0)
    Paper: Nair and Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, ICML 2010.
    Quirks: at 0 the derivative is the slope; runs on the CPU only.
    """

    options_field = "relu_param"

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        x, slope = bottom[0].data, self.options.negative_slope
        # The formula of the page; np.where(condition, a, b) takes a where the condition is true, else b.
        y = ...
        top[0].data[:] = y

    def backward(self, top, propagate_down, bottom):
        x, dy, slope = bottom[0].data, top[0].diff, self.options.negative_slope
        if propagate_down[0]:
            # The derivative of y with respect to x: it has two values only.
            factor = ...
            # The chain rule.
            dx = ...
            bottom[0].diff[:] = dx
