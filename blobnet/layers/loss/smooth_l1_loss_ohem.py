"""The smooth L1 loss, also place by place, of which the hard ones may be picked."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.loss._base import TargetLoss
from blobnet.layers.loss._smooth_l1 import SmoothL1, four_axes


@register
class SmoothL1LossOHEM(SmoothL1, TargetLoss):
    """SmoothL1Loss of R-FCN, which also tells the loss of every region, for BoxAnnotatorOHEM to find the hard ones.

    d = w (a - b),   h(d) = d^2 / 2 where |d| < 1, else |d| - 1/2,   l_nij = sum_c h(d_ncij),   loss = 1/Z * sum l

    da = weight/Z * h'(d),   db = -da,   h'(d) = d where |d| < 1, else sign(d)

    Bottoms: a (N, C, H, W), H and W are 1 if left out; b as a; optionally weights w, as a (1 without them)
    Tops: loss (); optionally l (N, 1, H, W)
    Params: none
    Options: loss_param.normalization: Z is N H W (VALID, the default, and FULL), N (BATCH_SIZE), 1 (NONE) or
    pre_fixed_normalizer (PRE_FIXED; 1 unless given); normalize (old name: true VALID, false BATCH_SIZE);
    published_gradient_param.gradient
    Paper: Shrivastava et al., Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016, as in
    the code of Dai et al., R-FCN, NIPS 2016.
    Quirks: the published gradient, shown above, is the derivative only where w is 0 or 1; gradient: EXACT multiplies it
    with w. Without loss_weight the loss trains nothing; if given, it is given for every top. l is not divided by Z, and
    gets no gradient. Z is never below 1. There is no sigma and no ignore_label. The weights get the gradient 0.
    """

    options_field = "published_gradient_param"
    more_options = ("loss_param",)
    published_gradient = True
    num_bottoms = (2, 3)
    num_tops = (1, 2)
    unforced_bottoms = (2,)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        shape = four_axes(bottom[0])
        if len(shape) > 4:
            raise ShapeError(self.where, expected="at most four axes (N, C, H, W)", got=shape)
        self.regions = shape[0], shape[2] * shape[3]
        if len(top) == 2:
            top[1].reshape((shape[0], 1, *shape[2:]))

    def formula(self, a, *others):
        options = self.param.loss_param
        b, *weights = (values.reshape(a.shape) for values in others)
        d = (weights[0] if weights else 1) * (a - b)
        h = np.where(abs(d) < 1, d ** 2 / 2, abs(d) - 0.5)
        losses = h.reshape(*h.shape[:2], -1).sum(1)
        Z = {options.VALID: losses.size, options.FULL: losses.size, options.BATCH_SIZE: len(a), options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return losses.sum() / max(Z[self.normalization], 1), losses

    def forward(self, bottom, top):
        costs, self.slopes = self.costs(self.weighted(bottom), 1.0)
        if len(bottom) == 3 and self.options.gradient == self.options.EXACT:
            self.slopes *= bottom[2].data.reshape(costs.shape)
        self.divisor = self.normalizer(self.xp.ones(self.regions, bool))
        top[0].data[...] = costs.sum() / self.divisor
        if len(top) == 2:
            costs.reshape(four_axes(bottom[0])).sum(axis=1, keepdims=True, out=top[1].data)
