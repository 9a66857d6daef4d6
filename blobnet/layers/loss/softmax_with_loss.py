"""Softmax followed by the multinomial logistic loss."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.loss._base import LabelLoss
from blobnet.ops.softmax import softmax


@register
class SoftmaxWithLoss(LabelLoss):
    """Negative logarithm of the probability of the label.

    p = softmax(x),   loss = -1/Z * sum_n log p[n, label_n],   dx = weight / Z * (p - [class is label])

    Bottoms: x (N, C, H, W) scores; labels (N, H, W), integers in 0 ... C-1
    Tops: loss (); optionally p (as x)
    Params: none
    Options: softmax_param.axis (1); loss_param.ignore_label; loss_param.normalization: Z is the number of labels that
    count (VALID, the default), of all labels (FULL), N (BATCH_SIZE), 1 (NONE) or pre_fixed_normalizer (PRE_FIXED);
    normalize (old name: true VALID, false BATCH_SIZE)
    Paper: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990.
    Quirks: Z is never below 1. Probabilities below the smallest normal float32 count as that number. With two tops
    loss_weight must be given for both.
    """

    more_options = ("softmax_param", "loss_param")
    num_tops = (1, 2)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group(bottom, self.param.softmax_param.axis)
        self.probability = self.xp.empty(self.grouped, self.dtype)
        if len(top) == 2:
            top[1].reshape(bottom[0].shape)

    def formula(self, x, labels):
        (outer, _, inner), options = self.grouped, self.param.loss_param
        x, labels = x.reshape(self.grouped), labels.reshape(outer, inner).astype(int)
        e = np.exp(x - x.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        costs = [-np.log(np.maximum(p[n, label, i], np.finfo("float32").tiny))
                 for (n, i), label in np.ndenumerate(labels) if label != self.ignored]
        Z = {options.VALID: len(costs), options.FULL: labels.size, options.BATCH_SIZE: outer, options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return sum(costs) / max(Z[self.normalization], 1), p

    def forward(self, bottom, top):
        softmax(bottom[0].data.reshape(self.grouped), self.probability)
        self.labels, self.counted = self.read_labels(bottom[1])
        chosen = self.xp.take_along_axis(self.probability, self.labels[:, None, :], axis=1)[:, 0, :]
        losses = -self.xp.log(self.xp.maximum(chosen, self.xp.finfo("float32").tiny))
        self.divisor = self.normalizer(self.counted)
        top[0].data[...] = self.xp.where(self.counted, losses, 0).sum() / self.divisor
        if len(top) == 2:
            top[1].data[...] = self.probability.reshape(top[1].shape)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        dx = bottom[0].diff.reshape(self.grouped)
        classes = self.xp.arange(self.grouped[1])[None, :, None]
        self.xp.subtract(self.probability, classes == self.labels[:, None, :], out=dx)
        dx *= self.weight(top) / self.divisor
        self.xp.copyto(dx, 0, where=~self.counted[:, None, :])  # even where p is nan
