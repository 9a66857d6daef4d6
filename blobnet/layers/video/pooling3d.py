"""Pooling3D: pooling over space and time."""

from __future__ import annotations

import numpy as np

from blobnet.backend import cut_array, share
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.average_pool import AveragePool
from blobnet.ops.axes import Axis, pooled_size, steps

LOWEST = float(np.finfo(np.float32).min)


@register
class Pooling3D(Layer):
    """Reduce each window of frames and places in them to its maximum or its average.

    MAX  y[n, c, m, p, q] = max of x over the window,   dx = sum of dy of the windows whose maximum it equals
    AVE  y[n, c, m, p, q] = sum of x over the window / divisor,   dx = sum of dy / divisor
    The window of (m, p, q) has D frames from m * stride_t on and R rows from p * stride - pad on, less those outside x.
    M = (L - D) / stride_t + 1, P = (H + 2 pad - R) / stride + 1, rounded up

    Bottoms: x (N, C, L, H, W), L frames    Tops: y (N, C, M, P, Q)    Params: none
    Options: pool (MAX; AVE); kernel_size R, stride (1), pad (0; AVE only) in space; kernel_depth D, temporal_stride (1)
    in time
    Paper: Tran et al., Learning spatiotemporal features with 3D convolutional networks, ICCV 2015.
    Quirks: each of equal maxima takes the whole dy. The divisor counts padding, but nothing from H + pad on. A last
    window is never dropped: one beyond x has as its maximum the lowest number of float32 and as its average 0, or nan
    where it starts right at the end of x and its padding, and passes no gradient. STOCHASTIC, which the fork has on
    GPUs only, is refused.
    """

    options_field = "pooling3d_param"
    key_options = {"pool": "", "kernel_size": "kernel", "kernel_depth": "frames"}

    def setup(self, bottom, top):
        options = self.options
        for field in ("kernel_size", "kernel_depth", "stride", "temporal_stride"):
            if not getattr(options, field):
                raise NetError(self.where, expected=f"{field} above 0", got=0, hint=f"write it in {self.options_field}")
        if options.pool == options.STOCHASTIC:
            raise NetError(self.where, expected="pool: MAX or AVE", got="STOCHASTIC")
        self.average = options.pool == options.AVE
        if options.pad and not self.average:
            raise NetError(self.where, expected="pad 0 with pool: MAX", got=options.pad)
        self.kernel = options.kernel_depth, options.kernel_size, options.kernel_size
        self.stride = options.temporal_stride, options.stride, options.stride
        self.pad = 0, options.pad, options.pad

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 5:
            raise ShapeError(self.where, expected="axes (N, C, L, H, W)", got=shape)
        windows = zip(shape[2:], self.kernel, self.stride, self.pad)
        self.axes = [Axis(size, pooled_size(size + 2 * pad, k, stride, 0), k, stride, 1, pad)
                     for size, k, stride, pad in windows]
        if any(axis.out < 1 or axis.size < 1 for axis in self.axes):
            raise ShapeError(self.where, expected=f"frames and planes that fit a {self.kernel} window", got=shape)
        top[0].reshape((*shape[:2], *(axis.out for axis in self.axes)))
        if self.average:
            self.windows = AveragePool(self.xp, self.dtype, self.axes)

    def formula(self, x):
        y = np.empty((*x.shape[:2], *(axis.out for axis in self.axes)))
        for p in np.ndindex(*y.shape[2:]):
            start = np.multiply(p, self.stride) - self.pad
            stop = np.minimum(start + self.kernel, np.add(x.shape[2:], self.pad))
            window = x[(..., *map(slice, np.maximum(start, 0), np.maximum(stop, 0)))].reshape(*x.shape[:2], -1)
            y[(..., *p)] = (window.sum(-1) / np.float64(np.prod(stop - start)) if self.average
                            else window.max(-1, initial=LOWEST))
        return y

    def forward(self, bottom, top):
        x, y = bottom[0].data, top[0].data
        if self.average:
            self.windows.forward(x, y)
            return
        x, y = planes(x, y)

        def part(piece):
            y[piece] = LOWEST
            for _, windows, places in steps(self.axes):
                largest = y[(piece, *windows)]
                self.xp.fmax(largest, x[(piece, *places)], out=largest)

        share(part, cut_array(x))

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        if self.average:
            self.windows.backward(top[0].diff, bottom[0].diff)
            return
        x, dx, y, dy = planes(bottom[0].data, bottom[0].diff, top[0].data, top[0].diff)

        def part(piece):
            dx[piece] = 0
            for _, windows, places in steps(self.axes):
                window, place = (piece, *windows), (piece, *places)
                dx[place] += dy[window] * (x[place] == y[window])

        share(part, cut_array(x))


def planes(*arrays):
    """The arrays (N, C, …) as (N * C, …), which many pieces can be cut from."""
    return [array.reshape(array.shape[0] * array.shape[1], *array.shape[2:]) for array in arrays]
