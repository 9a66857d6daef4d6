"""The batch normalisation of PSPNet and TSN."""

from __future__ import annotations

import numpy as np

from blobnet.core.context import TEST
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place
from blobnet.layers.normalization._channel_terms import channel_of, channel_terms
from blobnet.layers.normalization._channels import PSPNET, PSPNET_PARAMS, SEGNET, Channels, has
from blobnet.ops.linear import scale_shift
from blobnet.ops.standardize import Eps, Tail, normalize, standardize, standardize_backward
from blobnet.proto.messages import new


@register
class PSPNetBN(Channels):
    """Bring every channel to a mean and a deviation that are learned, and keep running statistics for tests.

    y = a xhat + b,   xhat = (x - m) / s,   s = sqrt(v + eps)
    TRAIN: m and v are mean and variance of the N * H * W numbers of a channel,
        dx = a (dy - mean(dy) - xhat * mean(dy * xhat)) / s,   da += sum(dy * xhat),   db += sum(dy)
        and every forward moves the running ones:   mean = momentum * mean + (1 - momentum) * m, variance likewise
    TEST: m and v are the running ones; dx, da and db as in TRAIN, or with gradient: EXACT   dx = a dy / s
    frozen: m and v are the running ones in both phases,   dx = a dy / s,   a and b stay as they are

    A net writes type: "BN" for this layer and for SegNetBN. It is this one if it has one of the options below, or, with
    no field of the other, four param { … }. Neither: the net has to write the name that is meant.

    Bottoms: x (N, C, H, W), at least 2 axes    Tops: y (as x; may be x itself)
    Params: slope a, bias b, running mean, running variance, each (1, C, 1, 1). The mean begins at 0, the variance at 0,
    or at 1 if frozen. Those in files of TSN's program are (1, C)
    Options: bn_param.slope_filler (0), bias_filler (0), momentum (0.9), eps (1e-5), frozen (false), gradient; engine
    (no effect)
    Paper: Zhao et al., Pyramid Scene Parsing Network, CVPR 2017; Wang et al., Temporal Segment Networks, ECCV 2016.
    Quirks: without slope_filler y is b. The variance is that of a population: no M / (M - 1). lr_mult and decay_mult
    of the running statistics are set to 0, whatever param { … } says, and if frozen those of a and b. In TEST the
    published gradient, shown above, takes the running statistics for those of the batch. Forward changes parameters.
    """

    variant_of = "BN"
    foreign = SEGNET
    param_names = ("weight", "bias", "mean", "variance")
    published_gradient = saved_without_ones = True

    @classmethod
    def claims(cls, param):
        return has(param.bn_param, PSPNET) or (
            not has(param.bn_param, SEGNET) and len(param.param) == PSPNET_PARAMS)

    def setup(self, bottom, top):
        super().setup(bottom, top)
        options, frozen = self.options, self.options.frozen
        self.takes_statistics = not frozen and self.phase != TEST
        for filler in (options.slope_filler, options.bias_filler, new("FillerParameter"),
                       new("FillerParameter", value=frozen)):
            self.add_param(self.shape, filler)
        while len(self.param.param) < len(self.blobs):
            self.param.param.add()
        for spec in self.param.param[0 if frozen else 2:]:
            spec.lr_mult = spec.decay_mult = 0

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.normalized = None if self.options.frozen else self.xp.empty(self.grouped, self.dtype)

    def formula(self, x, a, b, mean, variance):
        x = x.reshape(self.grouped)  # n, c, and all places
        m, v = (x.mean((0, 2)), x.var((0, 2))) if self.takes_statistics else (mean.ravel(), variance.ravel())
        xhat = (x - m[:, None]) / np.sqrt(v + self.options.eps)[:, None]
        return a.reshape(-1, 1) * xhat + b.reshape(-1, 1)

    def terms(self, place, bottom, top):
        if place.kind == "param":
            return super().terms(place, bottom, top)
        c = channel_of(self, place, bottom[0])
        mean = Factor(float(self.mean[c]), None, "mean") if self.takes_statistics else Factor(
            float(self.param_data(2)[0, c, 0, 0]), Place("param", 2, "data", (0, c, 0, 0)), "running mean")
        return channel_terms(self, place, bottom, top, [mean], self._by_batch())

    def _by_batch(self) -> bool:
        """Whether backward goes through mean and deviation too."""
        return self.takes_statistics or not self.options.frozen and self.options.gradient != self.options.EXACT

    def forward(self, bottom, top):
        x, y = bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped)
        slope, bias, mean, variance = (self.param_data(i).reshape(-1) for i in range(4))
        xhat, tail = y if self.options.frozen else self.normalized, Tail(y, slope, bias)
        eps = Eps(self.options.eps)
        if self.takes_statistics:
            standardize(x, eps, self.mean, self.variance, self.deviation, xhat, tail)
            for total, value in ((mean, self.mean), (variance, self.variance)):
                total *= self.options.momentum
                total += (1 - self.options.momentum) * value
        else:
            self.deviation = eps.deviation(variance)
            normalize(x, mean, self.deviation, xhat, tail)

    def backward(self, top, propagate_down, bottom):
        dy, dx, slope = top[0].diff.reshape(self.grouped), bottom[0].diff.reshape(self.grouped), self.param_data(0)
        if not self.options.frozen:
            self.parameter_gradients(dy, self.normalized)
        if not propagate_down[0]:
            return
        if self._by_batch():
            standardize_backward(self.normalized, dy, self.deviation, dx)
            scale_shift(dx, slope, None, dx)
        else:
            scale_shift(dy, slope.reshape(-1) / self.deviation, None, dx)
