"""The batch normalisation of SegNet."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.errors import NetError
from blobnet.layers.normalization._channel_terms import channel_of, channel_terms, linear_terms
from blobnet.layers.normalization._channels import PSPNET, PSPNET_PARAMS, SEGNET, Channels, has
from blobnet.ops.linear import scale_shift
from blobnet.ops.standardize import Eps, Tail, standardize, standardize_backward

EPS = 1e-9


@register
class SegNetBN(Channels):
    """Bring every channel to a mean and a deviation that are learned, by the statistics of the batch.

    LEARN: y = a xhat + b,   xhat = (x - m) / s,   s = sqrt(v + 1e-9),   m and v: mean and variance of the N * H * W
    numbers of a channel;   dx = a (dy - mean(dy) - xhat * mean(dy * xhat)) / s,   da = sum(dy * xhat),   db = sum(dy)
    INFERENCE: y = a x + b,   dx = a dy,   da = sum(dy * x),   db = sum(dy)

    A net writes type: "BN" for this layer and for PSPNetBN. It is this one if it has scale_filler, shift_filler or
    bn_mode, or, with no field of the other, a second top. Neither: the net has to write the name that is meant.

    Bottoms: x (N, C, H, W), at least 2 axes
    Tops: y (as x; may be x itself)[, m (1, C, 1, 1)[, v (1, C, 1, 1)]], the latter two with LEARN
    Params: scale a, shift b, each (1, C, 1, 1)
    Options: bn_param.scale_filler (0), shift_filler (0), bn_mode (LEARN); engine (no effect)
    Paper: Badrinarayanan et al., SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation,
    PAMI 2017; Noh et al., Learning Deconvolution Network for Semantic Segmentation, ICCV 2015.
    Quirks: LEARN takes the statistics of the batch in TEST too; the authors merge those of the training set into a and
    b afterwards, for INFERENCE. da and db overwrite what was there: of several backward passes (iter_size) only the
    last counts. m and v hand no gradient down. propagate_down: false is ignored if backward runs. In place, INFERENCE
    takes da from y. The authors' variance is mean(x^2) - m^2, which loses digits where m is large; here it is
    mean((x - m)^2). Their N, H and W are fixed when the net is built; here they may change.
    """

    variant_of = "BN"
    foreign = PSPNET
    num_tops = (1, 3)
    overwrites = ignores_propagate_down = True

    @classmethod
    def claims(cls, param):
        return has(param.bn_param, SEGNET) or (
            not has(param.bn_param, PSPNET) and len(param.top) > 1 and len(param.param) < PSPNET_PARAMS)

    def setup(self, bottom, top):
        super().setup(bottom, top)
        self.takes_statistics = self.options.bn_mode == self.options.LEARN
        if not self.takes_statistics and len(top) > 1:
            raise NetError(self.where, expected="1 top blob with bn_mode: INFERENCE", got=len(top),
                           hint="mean and variance are of LEARN")
        for filler in (self.options.scale_filler, self.options.shift_filler):
            self.add_param(self.shape, filler)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.normalized = self.xp.empty(self.grouped, self.dtype) if self.takes_statistics else None
        for blob in top[1:]:
            blob.reshape(self.shape)

    def formula(self, x, a, b):
        x, a, b = x.reshape(self.grouped), a.reshape(-1, 1), b.reshape(-1, 1)
        if not self.takes_statistics:
            return a * x + b
        m, v = x.mean((0, 2)), x.var((0, 2))
        y = a * (x - m[:, None]) / np.sqrt(v + EPS)[:, None] + b
        return (y, m, v)[:len(self.param.top)]

    def terms(self, place, bottom, top):
        if place.kind == "param" or place.kind == "top" and place.number:
            return super().terms(place, bottom, top)
        if not self.takes_statistics:
            return linear_terms(self, place, bottom, top)
        mean = Factor(float(self.mean[channel_of(self, place, bottom[0])]), None, "mean")
        return channel_terms(self, place, bottom, top, [mean], True)

    def forward(self, bottom, top):
        x, y = bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped)
        if self.takes_statistics:
            standardize(x, Eps(EPS), self.mean, self.variance, self.deviation, self.normalized,
                        Tail(y, *(self.param_data(i).reshape(-1) for i in range(2))))
            for blob, values in zip(top[1:], (self.mean, self.variance)):
                blob.data[...] = values.reshape(self.shape)
        else:
            scale_shift(x, self.param_data(0), self.param_data(1), y)

    def backward(self, top, propagate_down, bottom):
        dy, dx = top[0].diff.reshape(self.grouped), bottom[0].diff.reshape(self.grouped)
        self.parameter_gradients(dy, self.normalized if self.takes_statistics else bottom[0].data.reshape(self.grouped))
        if propagate_down[0]:
            if self.takes_statistics:
                standardize_backward(self.normalized, dy, self.deviation, dx)
                dy = dx
            scale_shift(dy, self.param_data(0), None, dx)
