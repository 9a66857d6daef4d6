"""Solution of the exercise to lesson 02: the sigmoid and its slope."""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(layer='layer { name: "squash" type: "MySigmoid" bottom: "x" top: "y" }', bottoms=[(3, 4)],
                    same_as="Sigmoid")


@register
class MySigmoid(Layer):
    """Squash every number to (0, 1).

    y = 1 / (1 + exp(-x)),   dx = dy * exp(-x) / (1 + exp(-x))^2

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Paper: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986.
    Quirks: runs on the CPU only.
    """

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        x = bottom[0].data
        # The formula of the page; np.exp takes a whole array.
        y = 1 / (1 + np.exp(-x))
        top[0].data[:] = y

    def backward(self, top, propagate_down, bottom):
        y, dy = top[0].data, top[0].diff
        if propagate_down[0]:
            # The derivative of y with respect to x. It can be said with y alone: find y and 1 - y in dx above.
            slope = y * (1 - y)
            # The chain rule.
            dx = dy * slope
            bottom[0].diff[:] = dx
