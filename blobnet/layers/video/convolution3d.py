"""Convolution3D: convolution over space and time."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.axes import output_size
from blobnet.ops.convolution import Convolution, bias_gradient


@register
class Convolution3D(Layer):
    """Slide a bank of filters over the frames of films and over the places in them.

    y[n, k, m, p, q] = bias[k] + sum over c, d, r, s of
                       weight[k, c, d, r, s] * x[n, c, m * stride_t + d - pad_t, p * stride + r - pad, ...]
    M = (L + 2 pad_t - D) / stride_t + 1 frames, P = (H + 2 pad - R) / stride + 1; zeros lie outside x
    dx = the deconvolution of dy with the weights,   dbias[k] = sum over n, m, p, q of dy
    dweight[k, c, d, r, s] = sum over n, m, p, q of dy[n, k, m, p, q] * x[n, c, m * stride_t + d - pad_t, ...]

    Bottoms: x (N, C, L, H, W), L frames    Tops: y (N, K, M, P, Q)
    Params: weight (K, C, D, R, R), bias (1, 1, 1, 1, K)
    Options: num_output K; kernel_size R, stride (1), pad (0) in space; kernel_depth D, temporal_stride (1),
    temporal_pad (0) in time; bias_term (true); weight_filler, bias_filler; filter_group (1), which must divide K, and
    group are accepted, without effect
    Paper: Tran et al., Learning spatiotemporal features with 3D convolutional networks, ICCV 2015.
    Quirks: the diffs of the parameters are overwritten instead of added to: of several backward passes (iter_size) only
    the last one counts. Every filter sees all channels, whatever the groups.
    """

    options_field = "convolution3d_param"
    param_names = ("weight", "bias")
    key_options = {"num_output": "", "kernel_size": "kernel", "kernel_depth": "frames"}
    overwrites = True

    def setup(self, bottom, top):
        options, shape = self.options, bottom[0].shape
        if len(shape) != 5:
            raise ShapeError(self.where, expected="axes (N, C, L, H, W)", got=shape)
        for field in ("num_output", "kernel_size", "kernel_depth", "stride", "temporal_stride", "filter_group"):
            if not getattr(options, field):
                raise NetError(self.where, expected=f"{field} above 0", got=0, hint=f"write it in {self.options_field}")
        if options.num_output % options.filter_group:
            raise NetError(self.where, expected=f"filter_group to divide num_output ({options.num_output})",
                           got=options.filter_group)
        self.kernel = options.kernel_depth, options.kernel_size, options.kernel_size
        self.stride = options.temporal_stride, options.stride, options.stride
        self.pad = options.temporal_pad, options.pad, options.pad
        self.add_param((options.num_output, shape[1], *self.kernel), options.weight_filler)
        if options.bias_term:
            self.add_param((1, 1, 1, 1, options.num_output), options.bias_filler)

    def reshape(self, bottom, top):
        shape, channels = bottom[0].shape, self.param_data(0).shape[1]
        if len(shape) != 5 or shape[1] != channels:
            raise ShapeError(self.where, expected=f"(N, {channels}, L, H, W), as the weights are", got=shape)
        sizes = tuple(map(output_size, shape[2:], self.kernel, self.stride, self.pad))
        if min(sizes) < 1:
            raise ShapeError(self.where, expected=f"frames and planes that the kernel {self.kernel} fits into",
                             got=shape, hint="lower kernel_size or kernel_depth, or raise pad or temporal_pad")
        top[0].reshape((shape[0], self.options.num_output, *sizes))
        self.plan = Convolution(self.xp, self.dtype, shape, self.options.num_output, self.kernel, self.stride, self.pad,
                                (1, 1, 1))

    def multiply_adds(self, bottom, top):
        return top[0].count // self.options.num_output * self.blobs[0].count

    def formula(self, x, weight, bias=0.0):
        # Zeros outside x: no kernel reaches a stride beyond the padded end.
        x = np.pad(x, [(0, 0), (0, 0), *zip(self.pad, np.add(self.pad, self.stride))])
        y = np.empty((len(x), len(weight), *self.plan.out_shape))
        for p in np.ndindex(*y.shape[2:]):
            covered = tuple(map(slice, np.multiply(p, self.stride), np.multiply(p, self.stride) + self.kernel))
            y[(..., *p)] = np.einsum("kcdrs,ncdrs->nk", weight, x[(..., *covered)]) + np.ravel(bias)
        return y

    def forward(self, bottom, top):
        bias = self.param_data(1).reshape(-1) if self.options.bias_term else None
        self.plan.forward(bottom[0].data, self.param_data(0), bias, top[0].data)

    def backward(self, top, propagate_down, bottom):
        for i, learns in enumerate(self.param_propagate_down):
            if learns:
                self.param_diff(i).fill(0)
        if self.param_propagate_down[0]:
            self.plan.backward_weight(bottom[0].data, top[0].diff, self.param_diff(0))
        if any(self.param_propagate_down[1:]):
            bias_gradient(top[0].diff, self.param_diff(1))
        if propagate_down[0]:
            self.plan.backward_data(top[0].diff, self.param_data(0), bottom[0].diff)
