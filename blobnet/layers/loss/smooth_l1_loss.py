"""The smooth L1 loss of box regression."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.loss._smooth_l1 import SmoothL1


@register
class SmoothL1Loss(SmoothL1):
    """Cost of differences, squared for small ones and linear for large ones, so that outliers weigh less.

    d = u (a - b),   h(d) = s^2 d^2 / 2 where |d| < 1/s^2, else |d| - 1 / (2 s^2),   loss = 1/N * sum v h(d)

    da = weight/N * u v h'(d),   db = -da,   h'(d) = s^2 d where |d| < 1/s^2, else sign(d)

    Bottoms: a (N, ...); b as a; optionally both inside weights u and outside weights v, as a (1 without them)
    Tops: loss ()
    Params: none
    Options: sigma s (1); loss_param.normalization: NONE divides by 1 in place of N
    Paper: Girshick, Fast R-CNN, ICCV 2015, equation 3; sigma is of Ren et al., Faster R-CNN, NIPS 2015.
    Quirks: without loss_weight the loss is reported but trains nothing, unlike that of other losses. (The layer of this
    name in SSD takes two bottoms and has weight 1 then: write loss_weight: 1. That of R-FCN has three bottoms, and
    becomes SmoothL1LossOHEM when a net is read.) N is the first axis, whatever the weights are. Other modes of
    normalization have no effect. The weights get the gradient 0.
    """

    options_field = "smooth_l1_loss_param"
    more_options = ("loss_param",)
    num_bottoms = (2, 4)
    unforced_bottoms = (2, 3)

    def setup(self, bottom, top):
        if not self.options.sigma:
            raise NetError(self.where, expected="sigma other than 0", got=self.options.sigma)

    def formula(self, a, *others):
        s2, options = self.options.sigma ** 2, self.param.loss_param
        b, *weights = (values.reshape(a.shape) for values in others)
        u, v = weights or (1, 1)
        d = u * (a - b)
        h = np.where(abs(d) < 1 / s2, s2 * d ** 2 / 2, abs(d) - 1 / (2 * s2))
        return (v * h).sum() / (1 if options.normalization == options.NONE else max(1, len(a)))

    def forward(self, bottom, top):
        costs, slopes = self.costs(self.weighted(bottom), self.options.sigma ** -2)
        if len(bottom) == 4:
            inside, outside = (blob.data.reshape(costs.shape) for blob in bottom[2:])
            costs *= outside
            slopes *= inside * outside
        options = self.param.loss_param
        self.slopes = slopes
        self.divisor = 1 if options.normalization == options.NONE else max(1, bottom[0].shape[0])
        top[0].data[...] = costs.sum() / self.divisor
