"""Solution of the exercise to lesson 03: the Euclidean loss."""

import numpy as np

from blobnet import LossLayer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(layer='layer { name: "loss" type: "MyEuclideanLoss" bottom: "a" bottom: "b" top: "loss" }',
                    bottoms=[(4, 3), (4, 3)], same_as="EuclideanLoss")


@register
class MyEuclideanLoss(LossLayer):
    """Half the mean squared distance between two batches of vectors.

    loss = 1 / (2 N) * sum over n of ||a[n] - b[n]||^2,   da = weight * (a - b) / N,   db = -da

    Bottoms: a (N, C), b (N, C)    Tops: loss ()    Params: none
    Paper: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares).
    Quirks: the sum runs over all numbers, the mean over rows only; runs on the CPU only.
    """

    unforced_bottoms = ()  # both bottoms may get a gradient

    def forward(self, bottom, top):
        a, b = bottom[0].data, bottom[1].data
        # What backward needs too: (N, C), how far a is from b.
        self.difference = a - b
        # The formula of the page, one number. N is len(a).
        loss = np.sum(self.difference ** 2) / (2 * len(a))
        top[0].data[()] = loss

    def backward(self, top, propagate_down, bottom):
        weight = self.weight(top)  # loss_weight, with which the net counts this loss; 1 if nothing is said
        if propagate_down[0]:
            # (N, C): the derivative of weight * loss with respect to a.
            da = weight * self.difference / len(self.difference)
            bottom[0].diff[:] = da
        if propagate_down[1]:
            # The same with respect to b.
            db = -weight * self.difference / len(self.difference)
            bottom[1].diff[:] = db
