"""Solution of the exercise to lesson 03: the softmax with its loss."""

import numpy as np

from blobnet import LossLayer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(layer='layer { name: "loss" type: "MySoftmaxWithLoss" bottom: "x" bottom: "label" top: "loss" }',
                    bottoms=[(4, 3), np.array([0, 2, 1, 2])], same_as="SoftmaxWithLoss")


@register
class MySoftmaxWithLoss(LossLayer):
    """Negative logarithm of the probability of the label, mean over the rows.

    p[n, k] = exp(x[n, k]) / (sum over j of exp(x[n, j])),   loss = -1 / N * sum over n of log p[n, label[n]],
    dx = weight / N * (p - [class is label])

    Bottoms: x (N, C) scores; label (N), integers in 0 ... C-1    Tops: loss ()    Params: none
    Paper: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990.
    Quirks: no label is left out; runs on the CPU only.
    """

    def forward(self, bottom, top):
        x = bottom[0].data
        rows, labels = np.arange(len(x)), bottom[1].data.astype(int)
        e = np.exp(x - x.max(axis=1, keepdims=True))  # the largest score becomes 0, so nothing is too large for exp
        # (N, C): the probabilities of every row. sum(axis=1, keepdims=True) keeps the shape (N, 1), which divides rows.
        self.p = e / e.sum(axis=1, keepdims=True)
        # The loss, one number; self.p[rows, labels] has the N probabilities of the labels.
        loss = -np.log(self.p[rows, labels]).mean()
        top[0].data[()] = loss

    def backward(self, top, propagate_down, bottom):
        weight, count = self.weight(top), len(self.p)  # loss_weight, with which the net counts this loss; and N
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            # (N, C): whether the class is the label of the row; it counts as 1 or 0.
            is_label = bottom[1].data[:, None] == np.arange(self.p.shape[1])
            # (N, C): the derivative of weight * loss with respect to x, lesson 03 derives it. The loss is a mean.
            dx = weight * (self.p - is_label) / count
            bottom[0].diff[:] = dx
