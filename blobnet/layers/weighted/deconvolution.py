"""Deconvolution layer."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.weighted._base import SlidingLayer
from blobnet.ops.convolution import bias_gradient


@register
class Deconvolution(SlidingLayer):
    """Spread every value through a bank of filters: the transpose of Convolution.

    y[n, k, p * stride + r * dilation - pad, ...] += weight[c, k, r, s] * x[n, c, p, q], plus bias[k]
    H' = stride * (H - 1) + dilation * (R - 1) + 1 - 2 * pad
    dx = the convolution of dy with the weights,   dweight += that of dy with x,
    dbias[k] += sum of dy over n and places

    Bottoms: x (N, C, H, W), or any number of spatial axes; several bottoms of one shape share the parameters
    Tops: y (N, K, H', W'), one for each bottom
    Params: weight (C, K / group, R, S), bias (K)
    Options: as Convolution: num_output K; kernel_size, stride (1), pad (0: rows cut off each side of y), dilation (1):
    once, once for each spatial axis, or as kernel_h, kernel_w and so on; group (1); bias_term (true); axis (1);
    weight_filler, bias_filler; engine and force_nd_im2col (without effect)
    Paper: Long et al., Fully convolutional networks for semantic segmentation, CVPR 2015.
    Quirks: the first axis of the weights counts the channels of the bottom, not of the top.
    """

    transposed = True

    def output_sizes(self, spatial):
        return tuple(stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad
                     for size, kernel, stride, pad, dilation in zip(spatial, *self.sliding))

    def multiply_adds(self, bottom, top):
        return sum(blob.count // self.channels for blob in bottom) * self.blobs[0].count  # every weight at every value

    def formula(self, *arrays):
        *bottoms, weight, bias = arrays if self.options.bias_term else (*arrays, np.zeros(self.outputs))
        group, pad, size = self.options.group, self.sliding.pad, self.top_shape[2:]
        x = np.reshape(bottoms, (-1, group, self.channels // group, *self.bottom_shape[2:]))
        y = np.zeros((len(x), group, self.outputs // group, *np.add(size, np.multiply(2, pad))))
        weight = weight.reshape(*x.shape[1:3], *weight.shape[1:])
        for p in np.ndindex(*x.shape[3:]):
            y[self.covered(p)] += np.einsum("gck...,ngc->ngk...", weight, x[(..., *p)])
        y = y[(..., *map(slice, pad, np.add(pad, size)))]
        return np.split(y.reshape(len(x), self.outputs, -1) + bias[:, None], len(bottoms))

    def forward(self, bottom, top):
        for x, y in zip(bottom, top):
            self.plan.backward_data(x.data.reshape(self.bottom_shape), self.param_data(0),
                                    y.data.reshape(self.top_shape), self.bias)

    def backward(self, top, propagate_down, bottom):
        for x, y, wanted in zip(bottom, top, propagate_down):
            dy = y.diff.reshape(self.top_shape)
            if self.learns_bias():
                bias_gradient(dy, self.param_diff(1))
            if self.param_propagate_down[0]:
                self.plan.backward_weight(dy, x.data.reshape(self.bottom_shape), self.param_diff(0))
            if wanted:
                self.plan.forward(dy, self.param_data(0), None, x.diff.reshape(self.bottom_shape))
