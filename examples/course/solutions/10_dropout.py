"""Solution of the exercise to lesson 10: dropout, with the mask drawn as blobnet draws it."""

import numpy as np

from blobnet import TEST, Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "drop" type: "MyDropout" bottom: "x" top: "y" phase: TRAIN
        dropout_param { dropout_ratio: 0.3 } }""",
    bottoms=[(4, 5)], same_as="Dropout")


@register
class MyDropout(Layer):
    """Silence a random part of the units while training.

    TRAIN: y = x * m / (1 - ratio), m = 0 with probability ratio, else 1;   dx = dy * m / (1 - ratio)
    TEST: y = x;   dx = dy

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Options: dropout_param.dropout_ratio (0.5), from 0 on and below 1
    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
    Quirks: scales while training instead of testing.
    """

    options_field = "dropout_param"

    def setup(self, bottom, top):
        ratio = self.options.dropout_ratio
        # What the units that stay are multiplied with, so that the mean of y over all masks is x.
        self.factor = 1 / (1 - ratio)

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        x = bottom[0].data
        if self.phase == TEST:
            top[0].data[:] = x
            return
        # self.random() is the random stream of this step. It is asked for float32 whatever the net's dtype, as blobnet
        # asks it, so the mask is the same.
        drawn = self.random().random(x.shape, dtype=np.float32)
        # True where a unit stays: where the drawn number, from 0 on and below 1, is not below the ratio.
        self.mask = drawn >= self.options.dropout_ratio
        # TRAIN: see the formula.
        y = x * self.mask * self.factor
        top[0].data[:] = y

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dy = top[0].diff
        if self.phase == TEST:
            bottom[0].diff[:] = dy
            return
        # TRAIN: the units that were silent get no gradient, the others as much as y grows with x.
        dx = dy * self.mask * self.factor
        bottom[0].diff[:] = dx
