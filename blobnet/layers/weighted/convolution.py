"""Convolution layer."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.weighted._convolving import ConvolvingLayer


@register
class Convolution(ConvolvingLayer):
    """Slide a bank of filters over the spatial axes.

    y[n, k, p, q] = bias[k] + sum over c, r, s of
                    weight[k, c, r, s] * x[n, c, p * stride + r * dilation - pad, q * stride + s * dilation - pad]
    P = (H + 2 pad - dilation (R - 1) - 1) / stride + 1, rounded down; zeros lie outside x
    dx = the deconvolution of dy with the weights,   dbias[k] += sum over n, p, q of dy
    dweight[k, c, r, s] += sum over n, p, q of dy[n, k, p, q] * x[n, c, p * stride + r * dilation - pad, ...]

    Bottoms: x (N, C, H, W), or any number of spatial axes; several bottoms of one shape share the parameters
    Tops: y (N, K, P, Q), one for each bottom
    Params: weight (K, C / group, R, S), bias (K)
    Options: num_output K; kernel_size, stride (1), pad (0), dilation (1): once, once for each spatial axis, or as
    kernel_h, kernel_w and so on; group (1) cuts channels and outputs into groups that do not see each other; bias_term
    (true); axis (1) of the channels; weight_filler, bias_filler; engine and force_nd_im2col (without effect)
    Paper: LeCun et al., Gradient-based learning applied to document recognition, Proceedings of the IEEE 1998;
    groups: Krizhevsky et al., ImageNet classification with deep convolutional neural networks, NIPS 2012.
    Quirks: this is a correlation (the kernel is not flipped). Padding that does not fill a stride is ignored. A kernel
    that reaches less than a stride beyond the padded end has one position: the division rounds towards 0.
    """

    def formula(self, *arrays):
        *bottoms, weight, bias = arrays if self.options.bias_term else (*arrays, np.zeros(self.outputs))
        # Zeros outside x: no kernel reaches a stride beyond the padded end.
        group, margins = self.options.group, zip(self.sliding.pad, np.add(self.sliding.pad, self.sliding.stride))
        x = np.pad(np.reshape(bottoms, (-1, *self.bottom_shape[1:])), ((0, 0), (0, 0), *margins))
        y = np.empty((len(x), group, self.outputs // group, *self.top_shape[2:]))
        for p in np.ndindex(*self.top_shape[2:]):
            patch = x[self.covered(p)].reshape(len(x), group, -1)  # n, g, (c, r, s)
            y[(..., *p)] = np.einsum("gki,ngi->ngk", weight.reshape(group, -1, patch.shape[2]), patch)
        return np.split(y.reshape(len(x), self.outputs, -1) + bias[:, None], len(bottoms))
