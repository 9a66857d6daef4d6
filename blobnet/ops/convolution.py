"""Convolution of any number of spatial axes: forward, gradient to weights, gradient to data.

Everything is one correlation, out[n, k, p] = sum over c, r of weight[k, c, r] * x[n, c, p * stride + r * dilation - pad], with
zeros outside x. The gradient to the data is again a sum of such correlations of stride 1: input positions that agree modulo
the stride see the same kernel taps, so each of these phases is the top gradient correlated with its taps, flipped. Nothing is
ever scattered.

On a CPU a correlation lowers a chunk of images to a matrix that holds every kernel offset but those of the first spatial
axis, which one product for each output row walks along: rows (h, c, s) x columns (n, q), and the R * C * S rows from h = p *
stride on are just the columns that output row p needs. That is R times smaller than im2col (Cho and Brand, "MEC:
Memory-efficient Convolution for Deep Neural Network", ICML 2017) and stays in the cache, while the products stay large.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from blobnet.backend import array_module, parallel

COLUMNS = 192  # a product of this many columns runs at the BLAS peak; fewer than a quarter of it and walking rows does not pay
CHUNK_BYTES = 4 << 20  # the lowered images of a chunk, on a CPU
GPU_CHUNK_BYTES = 256 << 20


def output_size(size: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> int:
    """How many positions a kernel has along an axis of `size`; not positive if it does not fit once.

    >>> output_size(32, 5, stride=2, pad=2)
    16
    """
    return (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1


class Axis(NamedTuple):
    """One spatial axis of a correlation: x has `size` positions, out has `out`; `pad` may be negative (a crop)."""

    size: int
    out: int
    taps: int
    stride: int = 1
    dilation: int = 1
    pad: int = 0

    def range(self, tap: int) -> tuple[slice, slice]:
        """(out positions, x positions) for which `tap` falls inside x."""
        offset = tap * self.dilation - self.pad
        first = max(0, -(offset // self.stride))
        last = min(self.out, (self.size - 1 - offset) // self.stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        start = first * self.stride + offset
        return slice(first, last), slice(start, start + (last - first - 1) * self.stride + 1, self.stride)


class Correlation:
    """A correlation of fixed shapes and the buffers it works in: x (num, groups * channels, ...) -> (num, groups * outputs, ...).

    `channels` and `outputs` are those of one group; weights are (groups, outputs, channels, *taps).
    """

    def __init__(self, xp, dtype, num: int, groups: int, channels: int, outputs: int, axes: Sequence[Axis]):
        first = axes[0]
        columns = num * prod(axis.out for axis in axes[1:])
        walk = xp is np and first.taps > 1 and first.dilation == 1 and columns >= COLUMNS // 4
        if not walk:  # a first axis of one position: plain im2col
            axes = [Axis(1, 1, 1), *axes]
        self.xp, self.dtype, self.num, self.groups, self.channels, self.outputs = xp, dtype, num, groups, channels, outputs
        self.axes, self.walk = tuple(axes), walk
        first, rest = self.axes[0], self.axes[1:]
        self.lowered_rows = (first.out - 1) * first.stride + first.taps
        self.step = channels * prod(axis.taps for axis in rest)  # matrix rows of one lowered row
        self.positions = prod(axis.out for axis in rest)
        image = groups * self.lowered_rows * self.step * self.positions * np.dtype(dtype).itemsize
        budget = CHUNK_BYTES if xp is np else GPU_CHUNK_BYTES
        wanted = -(-COLUMNS // self.positions) if xp is np else num
        self.chunk = max(1, min(num, wanted, budget // image))
        self._lowered, self._products = {}, {}

    def matrix(self, weight):
        """Weights (groups, outputs, channels, *taps) as (groups, outputs, rows), in the order of the lowered rows."""
        shape = (self.groups, self.outputs, self.channels, *(axis.taps for axis in self.axes))
        return self.xp.ascontiguousarray(weight.reshape(shape).swapaxes(2, 3)).reshape(self.groups, self.outputs, -1)

    def run(self, x, weight, out, bias=None) -> None:
        """out = correlation of x with `weight`, plus `bias` (groups * outputs) if given; `out` may be a strided view."""
        matrix = self.matrix(weight)[:, None]
        x, out = self._split(x, [axis.size for axis in self.axes]), self._split(out, [axis.out for axis in self.axes])
        if bias is not None:
            bias = bias.reshape(self.groups, -1, *[1] * len(self.axes))

        def part(start: int, stop: int) -> None:
            for a in range(start, stop, self.chunk):
                b = min(a + self.chunk, stop)
                windows = self._windows(self._lower(x[a:b], start), b - a)
                products = self._products_of(start, b - a)
                self.xp.matmul(matrix, windows, out=products)
                products, target = self._by_image(products, b - a), out[a:b]
                if bias is None:
                    target[...] = products
                else:
                    self.xp.add(products, bias, out=target)

        self._parallel(part)

    def weight_gradient(self, x, top, weight_diff) -> None:
        """weight_diff += the gradient to the weights, for x and the gradient `top` to the correlation's result."""
        x, top = self._split(x, [axis.size for axis in self.axes]), self._split(top, [axis.out for axis in self.axes])
        shape = (self.groups, self.step * self.axes[0].taps, self.outputs)

        def part(start: int, stop: int):
            total, term = self.xp.zeros(shape, self.dtype), self.xp.empty(shape, self.dtype)
            for a in range(start, stop, self.chunk):
                b = min(a + self.chunk, stop)
                windows = self._windows(self._lower(x[a:b], start), b - a)
                products = self._products_of(start, b - a)
                self._by_image(products, b - a)[...] = top[a:b]
                for p in range(self.axes[0].out):
                    self.xp.matmul(windows[:, p], products[:, p].swapaxes(1, 2), out=term)
                    total += term
            return total

        total, *others = self._parallel(part)
        for other in others:
            total += other
        taps = [axis.taps for axis in self.axes]
        total = total.reshape(self.groups, taps[0], self.channels, *taps[1:], self.outputs)
        total = self.xp.moveaxis(total, -1, 1).swapaxes(2, 3)
        weight_diff += total.reshape(weight_diff.shape)

    def _split(self, x, sizes):
        return x.reshape(x.shape[0], self.groups, -1, *sizes)

    def _parallel(self, part) -> list:
        return parallel(part, self.num) if self.xp is np else [part(0, self.num)]

    def _lower(self, x, key: int):
        """The lowered matrix of the images `x`: (groups, rows, channels, *taps, images, *out), less the first axis' taps.

        The zeros of the padding are written once: every chunk leaves them as they are.
        """
        first, rest = self.axes[0], self.axes[1:]
        if key not in self._lowered:
            shape = (self.groups, self.lowered_rows, self.channels, *(axis.taps for axis in rest), self.chunk, *(axis.out for axis in rest))
            self._lowered[key] = self.xp.zeros(shape, self.dtype)
        lowered = self._lowered[key]
        rows, x_rows = Axis(first.size, self.lowered_rows, 1, pad=first.pad).range(0)
        num, images = len(x), x.transpose(1, 3, 2, 0, *range(4, x.ndim))
        for taps in product(*(range(axis.taps) for axis in rest)):
            ranges = [axis.range(tap) for axis, tap in zip(rest, taps)]
            target = lowered[(slice(None), rows, slice(None), *taps, slice(num), *(out for out, _ in ranges))]
            target[...] = images[(slice(None), x_rows, slice(None), slice(None), *(inside for _, inside in ranges))]
        return lowered

    def _windows(self, lowered, num: int):
        """(groups, P, rows, num * positions): the columns that each output row p needs, as an overlapping view."""
        step, column, item = self.step, self.chunk * self.positions, lowered.itemsize
        shape = (self.groups, self.axes[0].out, self.axes[0].taps * step, num * self.positions)
        strides = (lowered.strides[0], self.axes[0].stride * step * column * item, column * item, item)
        return array_module(lowered).lib.stride_tricks.as_strided(lowered, shape, strides)

    def _products_of(self, key: int, num: int):
        if key not in self._products:
            shape = (self.groups, self.axes[0].out, self.outputs, self.chunk * self.positions)
            self._products[key] = self.xp.empty(shape, self.dtype)
        return self._products[key][..., :num * self.positions]

    def _by_image(self, products, num: int):
        """Products (groups, P, outputs, num * positions) seen as (num, groups, outputs, P, *out)."""
        shape = (*products.shape[:3], num, *(axis.out for axis in self.axes[1:]))
        products = products.reshape(shape)
        return products.transpose(3, 0, 2, 1, *range(4, products.ndim))


class Convolution:
    """A convolution of fixed shapes: x (N, C, *spatial) with weight (K, C / groups, *kernel) -> (N, K, *out_shape).

    Make one whenever the shapes change; it keeps the buffers. `out_shape` holds the spatial sizes of the result.
    """

    def __init__(self, xp, dtype, shape: Sequence[int], num_output: int, kernel: Sequence[int], stride: Sequence[int],
                 pad: Sequence[int], dilation: Sequence[int], groups: int = 1):
        num, channels, *spatial = shape
        self.xp, self.groups, self.kernel = xp, groups, tuple(kernel)
        self.out_shape = tuple(map(output_size, spatial, kernel, stride, pad, dilation))
        self.axes = tuple(map(Axis, spatial, self.out_shape, kernel, stride, dilation, pad))
        self._sizes = (xp, dtype, num, groups)
        self._channels, self._outputs = channels // groups, num_output // groups
        self._forward = Correlation(*self._sizes, self._channels, self._outputs, self.axes)
        self._phases = None

    def forward(self, x, weight, bias, out) -> None:
        """out = x convolved with weight, plus bias (K) unless it is None."""
        self._forward.run(x, weight, out, bias)

    def backward_weight(self, x, top_diff, weight_diff) -> None:
        """weight_diff += gradient to the weights."""
        self._forward.weight_gradient(x, top_diff, weight_diff)

    def backward_data(self, top_diff, weight, x_diff, bias=None) -> None:
        """x_diff = gradient to x (this is also what a deconvolution computes forward, and `bias` (C) is for it)."""
        if self._phases is None:
            self._phases = [self._phase(*residues) for residues in product(*(phases(axis) for axis in self.axes))]
        weight = weight.reshape(self.groups, self._outputs, self._channels, *self.kernel).swapaxes(1, 2)
        for where, taps, correlation in self._phases:
            if correlation is None:
                x_diff[where] = 0 if bias is None else bias.reshape(-1, *[1] * len(self.axes))
            else:
                correlation.run(top_diff, weight[taps], x_diff[where], bias)

    def _phase(self, *axes):
        """(where in x, which taps, the correlation that computes it, None if no tap falls there)."""
        where = (slice(None), slice(None), *(positions for positions, _, _ in axes))
        taps = (slice(None), slice(None), slice(None), *(taps for _, taps, _ in axes))
        axes = [axis for _, _, axis in axes]
        if any(axis is None for axis in axes):
            return where, taps, None
        return where, taps, Correlation(*self._sizes, self._outputs, self._channels, axes)


def phases(axis: Axis) -> list[tuple[slice, slice, Axis | None]]:
    """The gradient to x along `axis`: for each residue of x modulo the stride, (x positions, taps, the axis of the correlation).

    Position h = a + stride * t gets tap r of output p when p * stride = h + pad - r * dilation. The taps that divide are
    every (stride / g)-th one, g = gcd(stride, dilation), and p moves by dilation / g from one to the next.

    >>> phases(Axis(size=6, out=3, taps=3, stride=2, pad=1))[0]
    (slice(0, None, 2), slice(1, None, -2), Axis(size=3, out=3, taps=1, stride=1, dilation=1, pad=0))
    """
    found = []
    divisor = gcd(axis.stride, axis.dilation)
    period, dilation = axis.stride // divisor, axis.dilation // divisor
    for a in range(min(axis.stride, axis.size)):
        positions = slice(a, None, axis.stride)
        first = next((r for r in range(min(period, axis.taps)) if (a + axis.pad - r * axis.dilation) % axis.stride == 0), None)
        if first is None:
            found.append((positions, slice(0, 0), None))
            continue
        taps = len(range(first, axis.taps, period))
        last = first + (taps - 1) * period
        pad = (taps - 1) * dilation - (a + axis.pad - first * axis.dilation) // axis.stride
        flipped = slice(last, first - 1 if first else None, -period)
        found.append((positions, flipped, Axis(axis.out, len(range(a, axis.size, axis.stride)), taps, 1, dilation, pad)))
    return found


def bias_gradient(top_diff, bias_diff) -> None:
    """bias_diff (K) += top_diff (N, K, ...) summed over everything but its channels."""
    xp = array_module(top_diff)
    num, channels = top_diff.shape[:2]
    planes = top_diff.reshape(num, channels, -1)
    ones = xp.ones(planes.shape[2], top_diff.dtype)
    sums = xp.empty((num, channels), top_diff.dtype)

    def part(start: int, stop: int) -> None:
        xp.matmul(planes[start:stop], ones, out=sums[start:stop])

    parallel(part, num) if xp is np else part(0, num)
    bias_diff += sums.sum(0)


def im2col(x, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int], out) -> None:
    """out (N, C * prod(kernel), *out_shape) = the patches of x (N, C, *spatial) under every kernel position, channel-major."""
    columns, axes = _columns(x, out, kernel, stride, pad, dilation)
    columns[...] = 0
    for taps in product(*map(range, kernel)):
        ranges = [axis.range(tap) for axis, tap in zip(axes, taps)]
        columns[(..., *taps, *(o for o, _ in ranges))] = x[(..., *(i for _, i in ranges))]


def col2im(columns, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int], x) -> None:
    """x = the transpose of `im2col`: every patch added back where it came from."""
    columns, axes = _columns(x, columns, kernel, stride, pad, dilation)
    x[...] = 0
    for taps in product(*map(range, kernel)):
        ranges = [axis.range(tap) for axis, tap in zip(axes, taps)]
        x[(..., *(i for _, i in ranges))] += columns[(..., *taps, *(o for o, _ in ranges))]


def _columns(x, columns, kernel, stride, pad, dilation):
    """`columns` as (N, C, *kernel, *out_shape), and the axes."""
    out_shape = tuple(map(output_size, x.shape[2:], kernel, stride, pad, dilation))
    axes = list(map(Axis, x.shape[2:], out_shape, kernel, stride, dilation, pad))
    return columns.reshape(*x.shape[:2], *kernel, *out_shape), axes
