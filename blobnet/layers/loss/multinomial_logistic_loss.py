"""Multinomial logistic loss."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.loss._base import LOG_THRESHOLD, LabelLoss


@register
class MultinomialLogisticLoss(LabelLoss):
    """Negative logarithm of the probability of the label, from probabilities.

    loss = -1/N * sum_n log p[n, label_n],   dp[n, k] = -weight / (N p[n, k]) where k is label_n, else 0

    Bottoms: p (N, C) probabilities, such as a Softmax gives; labels (N,), integers in 0 ... C-1
    Tops: loss ()
    Params: none
    Paper: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990.
    Quirks: probabilities below 1e-20 count as 1e-20, in the gradient too, which is not 0 there. Further axes of p count
    as classes too. loss_param has no effect. SoftmaxWithLoss computes the same from scores, and rounds less.
    """

    ignores = False

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group_rows(bottom)
        self.places = self.xp.arange(self.grouped[0])

    def formula(self, p, labels):
        p = p.reshape(len(p), -1)
        return -sum(np.log(max(p[n, label], LOG_THRESHOLD)) for n, label in enumerate(labels.astype(int).flat)) / len(p)

    def forward(self, bottom, top):
        self.labels = self.read_labels(bottom[1])[0][:, 0]
        chosen = bottom[0].data.reshape(self.grouped[:2])[self.places, self.labels]
        self.chosen = self.xp.maximum(chosen, LOG_THRESHOLD)
        top[0].data[...] = -self.xp.log(self.chosen).sum() / max(1, self.grouped[0])

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            bottom[0].diff.fill(0)
            slopes = -self.weight(top) / max(1, self.grouped[0]) / self.chosen
            bottom[0].diff.reshape(self.grouped[:2])[self.places, self.labels] = slopes
