"""Convolution with as many groups as channels, as one fork names it."""

from __future__ import annotations

from itertools import starmap

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.weighted._convolving import ConvolvingLayer


@register
class DepthwiseConvolution(ConvolvingLayer):
    """Slide filters of its own over every channel: Convolution, if group is the number of channels.

    y[n, k, p, q] = bias[k] + sum over c of the group of k, and over r, s, of
                    weight[k, c, r, s] * x[n, c, p * stride + r * dilation - pad, q * stride + s * dilation - pad]
    dx, dweight, dbias: as in Convolution

    Bottoms: x (N, C, H, W), or any number of spatial axes; several bottoms of one shape share the parameters
    Tops: y (N, K, P, Q), one for each bottom
    Params: weight (K, C / group, R, S), bias (K)
    Options: as Convolution, with group (1); engine has no effect
    Paper: Howard et al., MobileNets: Efficient convolutional neural networks for mobile vision applications, 2017.
    Quirks: group has to be written as well: without it this is a convolution over all channels. The published layer
    differs from Convolution in its kernels for GPUs alone.
    """

    def formula(self, *arrays):
        *bottoms, weight, bias = arrays if self.options.bias_term else (*arrays, np.zeros(self.outputs))
        margins = [(pad, pad + stride) for pad, stride in zip(self.sliding.pad, self.sliding.stride)]
        x = np.pad(np.reshape(bottoms, (-1, *self.bottom_shape[1:])), ((0, 0), (0, 0), *margins))
        x = x.reshape(len(x), self.group, -1, *x.shape[2:])  # n, g, c, places
        weight = weight.reshape(self.group, -1, *weight.shape[1:])  # g, k, c, r, s
        y = np.zeros((len(x), *weight.shape[:2], *self.top_shape[2:]))
        for r in np.ndindex(*self.sliding.kernel):
            start = np.multiply(r, self.sliding.dilation)
            seen = starmap(slice, zip(start, start + np.multiply(self.sliding.stride, self.top_shape[2:]),
                                      self.sliding.stride))
            y += np.einsum("gkc,ngc...->ngk...", weight[(..., *r)], x[(..., *seen)])
        y = y.reshape(len(x), self.outputs, -1) + bias[:, None]
        return np.split(y, len(bottoms))
