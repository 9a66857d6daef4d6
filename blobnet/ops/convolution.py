"""Convolution of any number of spatial axes: forward, and the gradients to weights, data and bias.

All but the gradient to the bias are correlations. For the gradient to the data, the input positions that agree modulo
the stride, a phase, are reached by the same kernel taps: the gradient of a phase is the top gradient, correlated with
these taps in reverse order, with stride 1.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import product
from math import gcd, prod
from types import ModuleType
from typing import TypeAlias

import numpy as np

from blobnet.backend import Array, cut_array, folded, scratch, share, twin
from blobnet.ops.axes import Axis, Index, output_size
from blobnet.ops.correlation import Correlation
from blobnet.ops.depthwise import Depthwise
from blobnet.ops.im2col import add_columns
from blobnet.ops.linear import add_sums
from blobnet.ops.winograd import Winograd

Engine: TypeAlias = "Correlation | Depthwise | Winograd"
Phase = tuple[slice, slice, Axis | None]  # positions of x, taps of the kernel, what they are correlated along

SCATTER_CHANNELS = 8  # with fewer channels (images), the products of the data gradient are too flat: scatter columns


@twin("blobnet.ops.cuda.convolution")
class Convolution:
    """A convolution of fixed shapes: x (N, C, *spatial) with weight (K, C / groups, *kernel) -> (N, K, *out_shape).

    Make a new one when the shapes change. `out_shape`: the spatial sizes of the result.
    """

    def __init__(self, xp: ModuleType, dtype, shape: Sequence[int], num_output: int, kernel: Sequence[int],
                 stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int], groups: int = 1):
        num, channels, *spatial = shape
        self.xp, self.groups, self.kernel = xp, groups, tuple(kernel)
        self.out_shape = tuple(map(output_size, spatial, kernel, stride, pad, dilation))
        self.axes = tuple(map(Axis, spatial, self.out_shape, kernel, stride, dilation, pad))
        self._sizes = (xp, dtype, num, groups)
        self._channels, self._outputs = channels // groups, num_output // groups
        self._forward: Engine | None = None  # for empty arrays, when only the bias reaches the result, or x
        if num * prod(spatial) * prod(self.out_shape):
            self._forward = correlation(*self._sizes, self._channels, self._outputs, self.axes)

    def forward(self, x: Array, weight: Array, bias: Array | None, out: Array) -> None:
        """out = x convolved with weight, plus bias (K) unless it is None."""
        if self._forward is None:
            self._fill(out, bias)
        else:
            self._forward.run(x, weight, out, bias)

    def backward(self, x: Array, top_diff: Array, weight: Array, weight_diff: Array | None,
                 x_diff: Array | None) -> None:
        """`backward_weight` and `backward_data`, each unless its result is None; at once where that saves time."""
        if isinstance(self._forward, Depthwise) and weight_diff is not None and x_diff is not None:
            self._forward.data_gradient(top_diff, weight, x_diff, None, x, weight_diff)
            return
        if weight_diff is not None:
            self.backward_weight(x, top_diff, weight_diff)
        if x_diff is not None:
            self.backward_data(top_diff, weight, x_diff)

    def backward_weight(self, x: Array, top_diff: Array, weight_diff: Array) -> None:
        """weight_diff += the gradient to the weights."""
        if self._forward is not None:
            self._forward.weight_gradient(x, top_diff, weight_diff)

    def backward_data(self, top_diff: Array, weight: Array, x_diff: Array, bias: Array | None = None) -> None:
        """x_diff = the gradient to x. A deconvolution computes this forward, and then adds its `bias` (C)."""
        if self._forward is None:
            self._fill(x_diff, bias)
            return
        if isinstance(self._forward, Depthwise):
            self._forward.data_gradient(top_diff, weight, x_diff, bias)
            return
        if self.groups == 1 and self._channels < SCATTER_CHANNELS and prod(self.kernel) > 1:
            self._scatter_data(top_diff, weight, x_diff, bias)
            return
        weight = weight.reshape(self.groups, self._outputs, self._channels, *self.kernel).swapaxes(1, 2)
        for where, taps, correlation in self._phases:
            if correlation is None:
                self._fill(x_diff[where], bias)
            else:
                correlation.run(top_diff, weight[taps], x_diff[where], bias)

    def _fill(self, array: Array, bias: Array | None) -> None:
        """array = the bias, or 0 if there is none."""
        array[...] = 0 if bias is None else bias.reshape(-1, *[1] * len(self.axes))

    def _scatter_data(self, top_diff: Array, weight: Array, x_diff: Array, bias: Array | None) -> None:
        """backward_data in another way: the gradient to the im2col columns, added where the columns came from."""
        top_diff, weight = top_diff.reshape(folded(top_diff.shape, 1, 2)), weight.reshape(folded(weight.shape, 1)).T
        self._fill(x_diff, bias)

        def part(piece: slice, buffers: list[Array]) -> None:
            columns = buffers[0][:piece.stop - piece.start]
            self.xp.matmul(weight, top_diff[piece], out=columns)
            add_columns(columns, self.axes, x_diff[piece])

        share(part, cut_array(top_diff),
              lambda n: scratch(self.xp, ((n, len(weight), top_diff.shape[2]), top_diff.dtype)))

    @functools.cached_property
    def _phases(self) -> list[tuple[Index, Index, Engine | None]]:
        return [self._phase(*residues) for residues in product(*(phases(axis) for axis in self.axes))]

    def _phase(self, *axes: Phase) -> tuple[Index, Index, Engine | None]:
        """(where in x, which taps, the correlation that computes it, None if no tap falls there)."""
        where: Index = (slice(None), slice(None), *(positions for positions, _, _ in axes))
        taps: Index = (slice(None), slice(None), slice(None), *(taps for _, taps, _ in axes))
        reached = [axis for _, _, axis in axes if axis is not None]
        if len(reached) < len(axes):
            return where, taps, None
        return where, taps, correlation(*self._sizes, self._outputs, self._channels, reached)


def correlation(xp: ModuleType, dtype, num: int, groups: int, channels: int, outputs: int,
                axes: Sequence[Axis]) -> Engine:
    """The fastest way for these shapes."""
    if xp is np and axes and channels == outputs == 1 < groups:
        return Depthwise(dtype, num, groups, axes)
    if Winograd.fits(xp, axes) and (fast := Winograd(dtype, num, groups, channels, outputs, axes)).pays():
        return fast
    return Correlation(xp, dtype, num, groups, channels, outputs, axes)


def phases(axis: Axis) -> list[Phase]:
    """The gradient to x along `axis`: for each residue modulo the stride, (x positions, taps, axis of the correlation).

    Position h = a + stride * t gets tap r of output p when p * stride = h + pad - r * dilation. The taps that divide
    are every (stride / g)-th one, g = gcd(stride, dilation), and p moves by dilation / g from one to the next.

    >>> phases(Axis(size=6, out=3, taps=3, stride=2, pad=1))[0]
    (slice(0, None, 2), slice(1, 0, -2), Axis(size=3, out=3, taps=1, stride=1, dilation=1, pad=0))
    """
    found: list[Phase] = []
    divisor = gcd(axis.stride, axis.dilation)
    period, dilation = axis.stride // divisor, axis.dilation // divisor
    for a in range(min(axis.stride, axis.size)):
        positions, length = slice(a, None, axis.stride), len(range(a, axis.size, axis.stride))
        hits = (r for r in range(min(period, axis.taps)) if (a + axis.pad - r * axis.dilation) % axis.stride == 0)
        first = next(hits, None)
        if first is None:
            found.append((positions, slice(0, 0), None))
            continue
        taps = len(range(first, axis.taps, period))
        flipped = slice(first + (taps - 1) * period, first - 1 if first else None, -period)
        pad = (taps - 1) * dilation - (a + axis.pad - first * axis.dilation) // axis.stride
        found.append((positions, flipped, Axis(axis.out, length, taps, 1, dilation, pad)))
    return found


def bias_gradient(top_diff: Array, bias_diff: Array) -> None:
    """bias_diff (K) += top_diff (N, K, ...) summed over everything but its channels."""
    add_sums(top_diff.reshape(folded(top_diff.shape, 1, 2)), None, bias_diff)
