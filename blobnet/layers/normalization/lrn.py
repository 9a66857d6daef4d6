"""Local response normalisation."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.normalization._lrn_terms import lrn_terms
from blobnet.ops.lrn import LocalNorm, lrn_backward, lrn_forward


@register
class LRN(Layer):
    """Divide every value by a power of the energy around it.

    y = x * scale ** -beta
    scale = k + alpha / n * (sum of x squared over the window of n values)
    dx = dy * scale ** -beta - 2 alpha beta / n * x * (sum of dy * y / scale over the window)

    The window is local_size channels at the same place (ACROSS_CHANNELS, n = local_size), or local_size x local_size
    places of the same channel (WITHIN_CHANNEL, n = local_size squared); what lies outside x is zero but counts in n.

    Bottoms: x (N, C, H, W)    Tops: y (as x)    Params: none
    Options: local_size (5, odd), alpha (1), beta (0.75), k (1), norm_region (ACROSS_CHANNELS); engine is accepted,
    without effect
    Paper: Krizhevsky et al., ImageNet classification with deep convolutional neural networks, NIPS 2012.
    Quirks: alpha is divided by n (in the paper it is not). WITHIN_CHANNEL ignores k and uses 1. With ACROSS_CHANNELS,
    propagate_down: false is ignored if backward runs.
    """

    options_field = "lrn_param"
    keeps_coordinates = True
    key_options = {"norm_region": "", "local_size": "size"}

    def setup(self, bottom, top):
        self.ignores_propagate_down = self.options.norm_region == self.options.ACROSS_CHANNELS
        if self.options.local_size % 2 == 0:
            raise NetError(self.where, expected="an odd local_size", got=self.options.local_size)

    def reshape(self, bottom, top):
        if bottom[0].num_axes != 4:
            raise ShapeError(self.where, expected="4 axes (N, C, H, W)", got=bottom[0].shape)
        options, within = self.options, self.options.norm_region == self.options.WITHIN_CHANNEL
        axes, k = ((2, 3), 1.0) if within else ((1,), options.k)
        alpha = options.alpha / options.local_size ** len(axes)
        self.norm = LocalNorm(axes, options.local_size, k, alpha, options.beta)
        self.scale, self.factor = (self.xp.empty(bottom[0].shape, self.dtype) for _ in range(2))
        top[0].reshape(bottom[0].shape)

    def formula(self, x):
        options, size = self.options, self.options.local_size
        within = options.norm_region == options.WITHIN_CHANNEL
        window, k, n = ((1, size, size), 1, size ** 2) if within else ((size, 1, 1), options.k, size)
        squares = np.pad(x ** 2, [(0, 0), *((length // 2, length // 2) for length in window)])
        energy = sliding_window_view(squares, window, (1, 2, 3)).sum((4, 5, 6))
        scale = k + options.alpha / n * energy
        return x * scale ** -options.beta

    def terms(self, place, bottom, top):
        return lrn_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        lrn_forward(bottom[0].data, self.norm, self.scale, self.factor, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            x, y, dx, dy = bottom[0].data, top[0].data, bottom[0].diff, top[0].diff
            lrn_backward(x, y, self.scale, self.factor, dy, self.norm, dx)
