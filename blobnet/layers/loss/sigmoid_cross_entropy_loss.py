"""Sigmoid followed by the cross-entropy loss."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.loss._base import TargetLoss
from blobnet.layers.loss._score_terms import sigmoid_loss_terms
from blobnet.ops.softmax import sigmoid


@register
class SigmoidCrossEntropyLoss(TargetLoss):
    """How badly the sigmoid of every score fits its target probability.

    p = 1 / (1 + exp(-x)),   loss = -1/Z * sum_i [ t_i log p_i + (1 - t_i) log(1 - p_i) ],   dx = weight/Z * (p - t)

    Bottoms: x (N, ...) scores; targets t (N, ...) of as many elements, 0 or 1 or between
    Tops: loss ()
    Params: none
    Options: loss_param.ignore_label: elements with this target cost nothing; loss_param.normalization: Z is N
    (BATCH_SIZE, the default here), the number of elements that count (VALID), of all elements (FULL), 1 (NONE) or
    pre_fixed_normalizer (PRE_FIXED); normalize (old name: true VALID, false BATCH_SIZE)
    Paper: Cox, The regression analysis of binary sequences, Journal of the Royal Statistical Society B 1958.
    Quirks: the default normalization is not the VALID of other losses. Targets outside 0 ... 1 are used as they are.
    Only for the comparison with ignore_label they are truncated to integers: ignore_label: 0 ignores 0.7 too. Z is
    never below 1. There is no gradient for the targets.
    """

    more_options = ("loss_param",)
    default_normalization = "BATCH_SIZE"

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if bottom[0].count != bottom[1].count:
            raise ShapeError(self.where, expected="a target (N, ...) for every score (N, ...)",
                             got=f"{bottom[1].shape} for {bottom[0].shape}")

    def formula(self, x, t):
        options, t = self.param.loss_param, t.reshape(x.shape)
        log_p, log_q = -np.logaddexp(0, -x), -np.logaddexp(0, x)  # of p and of 1 - p
        counted = np.trunc(t) != self.ignored
        Z = {options.VALID: counted.sum(), options.FULL: x.size, options.BATCH_SIZE: len(x), options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return -(t * log_p + (1 - t) * log_q)[counted].sum() / max(Z[self.normalization], 1)

    def arithmetic(self):
        return {"kind": "sigmoid_loss", "divisor": float(self.divisor), "ignore": self.ignored}

    def terms(self, place, bottom, top):
        return sigmoid_loss_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        x, target = bottom[0].data, bottom[1].data.reshape(bottom[0].shape)
        self.counted = self.counts(self.xp.trunc(target))
        self.divisor = self.normalizer(self.counted)
        costs = self.xp.log1p(self.xp.exp(-self.xp.abs(x)))  # without overflow: log(1 + e^x) = max(x, 0) + this
        costs -= x * (target - (x >= 0))
        top[0].data[...] = self.xp.where(self.counted, costs, 0).sum() / self.divisor

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        x, dx = bottom[0].data, bottom[0].diff
        sigmoid(x, dx)
        dx -= bottom[1].data.reshape(x.shape)
        dx *= self.weight(top) / self.divisor
        self.xp.copyto(dx, 0, where=~self.counted)  # even where x is nan
