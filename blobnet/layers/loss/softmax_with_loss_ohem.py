"""Softmax followed by the multinomial logistic loss, also place by place, of which the hard ones may be picked."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.loss._softmax import SoftmaxLoss
from blobnet.ops.masks import sum_where


@register
class SoftmaxWithLossOHEM(SoftmaxLoss):
    """SoftmaxWithLoss of R-FCN, which also tells the loss of every region, for BoxAnnotatorOHEM to find the hard ones.

    p = softmax(x),   l_n = -log p[n, label_n], 0 where the label is ignored,   V = number of labels that count

    loss = 1/Z * sum of the first V numbers of l,   dx = weight / Z * (p - [class is label])

    Bottoms: x (N, C, H, W) scores; labels (N, H, W), integers in 0 ... C-1
    Tops: loss (); optionally p (as x); optionally l (as labels)
    Params: none
    Options: softmax_param.axis (1); loss_param.ignore_label; loss_param.normalization: Z is V (VALID, the default), the
    number of all labels (FULL), N (BATCH_SIZE), 1 (NONE) or pre_fixed_normalizer (PRE_FIXED; 1 unless given); normalize
    (old name: true VALID, false BATCH_SIZE); published_gradient_param.gradient
    Paper: Shrivastava et al., Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016, as in
    the code of Dai et al., R-FCN, NIPS 2016.
    Quirks: where ignored labels stand before others, the loss leaves out as many numbers at the end of l. The published
    gradient, shown above, is that of the whole sum; gradient: EXACT is 0 where a number is left out. With three tops p
    stays at 0. Z is never below 1. Probabilities below the smallest normal float32 count as that number. With several
    tops loss_weight must be given for each.
    """

    options_field = "published_gradient_param"
    more_options = ("softmax_param", "loss_param")
    published_gradient = True
    num_tops = (1, 3)

    def formula(self, x, labels):
        (outer, _, inner), options = self.grouped, self.param.loss_param
        x, labels = x.reshape(self.grouped), labels.reshape(outer, inner).astype(int)
        e = np.exp(x - x.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        losses = [0 if label == self.ignored else -np.log(np.maximum(p[n, label, i], np.finfo("float32").tiny))
                  for (n, i), label in np.ndenumerate(labels)]
        V = (labels != self.ignored).sum()
        Z = {options.VALID: V, options.FULL: labels.size, options.BATCH_SIZE: outer, options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return sum(losses[:V]) / max(Z[self.normalization], 1), p * (len(self.param.top) < 3), np.array(losses)

    def forward(self, bottom, top):
        losses = self.costs(bottom)
        self.xp.copyto(losses, 0, where=~self.counted)
        self.divisor = self.normalizer(self.counted)
        self.added = self.xp.arange(losses.size).reshape(losses.shape) < self.counted.sum()
        top[0].data[...] = sum_where(losses, self.added) / self.divisor
        if len(top) == 2:
            top[1].data[...] = self.probability.reshape(top[1].shape)
        elif len(top) == 3:
            top[1].data.fill(0)
            top[2].data[...] = losses.reshape(top[2].shape)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        exact = self.options.gradient == self.options.EXACT
        counted = self.counted & self.added if exact else self.counted
        dx = bottom[0].diff.reshape(self.grouped)
        self.write_slopes(dx, self.weight(top) / self.divisor)
        self.xp.copyto(dx, 0, where=~counted[:, None, :])  # even where p is nan
