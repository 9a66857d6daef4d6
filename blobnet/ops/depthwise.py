"""Depthwise correlation: every channel has a kernel of its own, so products have a single row; and its gradients.

out[n, c, p] = sum over r of weight[c, r] * x[n, c, p * stride + r * dilation - pad], with zeros outside x.

The images are lowered as for any correlation (see lowering.py), but a piece is some channels of all images: an output
row is R * S weights times as many lowered rows of N * Q values. The gradient to these weights is the gradient to that
row times the same rows, summed over the output rows.

For the gradient to x, position h = a + stride * t gets tap r of output p = t + (a + pad - r * dilation) / stride, if
that is whole. So it is a depthwise correlation with stride 1, of as many outputs as there are phases a. Their kernels
share one window, with zeros where only others have taps, so that one product makes them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, cut, longest, scratch, share
from blobnet.ops.axes import Axis, Index
from blobnet.ops.elementwise import as_rows
from blobnet.ops.lowering import Lowering

PIECE_BYTES = 2 << 20  # lowered images and products: a few long calls, which threads do not wait for each other between
WALK_COLUMNS = 24  # with fewer, the calls of walking take longer than the copies of plain im2col


class Depthwise:
    """Like `Correlation`, on a CPU, for groups of one channel: x (num, channels, ...) -> (num, channels, ...).

    With several `outputs`, a channel has as many kernels; weights are (channels, outputs, *taps).
    """

    def __init__(self, dtype, num: int, channels: int, axes: Sequence[Axis], outputs: int = 1):
        self.num, self.channels, self.outputs, self.kernel_axes = num, channels, outputs, tuple(axes)
        columns = num * prod(axis.out for axis in axes[1:])
        self.walk = len(axes) > 1 and axes[0].dilation == 1 and columns >= WALK_COLUMNS
        if not self.walk:  # a first axis of one position: plain im2col
            axes = [Axis(1, 1, 1), *axes]
        self.axes = tuple(axes)
        plane = Lowering(np, dtype, 1, 1, axes)
        size = plane.image_bytes + axes[0].out * outputs * plane.positions * plane.dtype.itemsize
        self.images = cut(num, PIECE_BYTES / size)
        most = PIECE_BYTES / (size * longest(self.images))
        self.pieces = cut(channels, most, most)
        self.lowering = Lowering(np, dtype, longest(self.pieces), 1, axes)

    def run(self, x: Array, weight: Array, out: Array, bias: Array | None = None) -> None:
        """out = correlation of x with `weight`, plus `bias` (channels) if given."""
        self._run(x, weight, [out], bias)

    def weight_gradient(self, x: Array, top: Array, weight_diff: Array) -> None:
        """weight_diff += the gradient to the weights, for x and the gradient `top` to the correlation's result."""
        diff = weight_diff.reshape(self.channels, self.outputs, -1)

        def part(piece: slice, own: _Memory) -> None:
            for images in self.images:
                windows, products = own.lower(piece, images)
                own.read(piece, images)
                found = own.gradients[:len(products)]
                np.matmul(products, windows.swapaxes(2, 3), out=found)
                diff[piece] += found.sum(axis=1)

        share(part, self.pieces, partial(self._memory, x, [top]))

    def data_gradient(self, top: Array, weight: Array, x_diff: Array, bias: Array | None = None) -> None:
        """x_diff = the gradient to x, for the gradient `top` to the result, plus `bias` (channels) if given."""
        transposed, strides, where = self._transposed
        phases: list[Index] = [(..., *map(slice, residues, x_diff.shape[2:], strides))
                               for residues in product(*map(range, strides))]
        shape = self.channels, *strides, *(axis.taps for axis in transposed.kernel_axes)
        with scratch(np, (shape, weight.dtype)) as (kernels,):
            kernels.fill(0)
            kernels[where] = weight.reshape(self.channels, *(axis.taps for axis in self.kernel_axes))
            transposed._run(top, kernels, [x_diff[phase] for phase in phases], bias)

    @cached_property
    def _transposed(self) -> tuple[Depthwise, list[int], Index]:
        """(what computes the gradient to x, the phases along each axis, where each weight is in its kernels)."""
        axes, phases, places = [], [], []
        for axis in self.kernel_axes:
            step = axis.dilation if axis.stride == 1 else 1
            moved, phase = np.divmod(np.arange(axis.taps) * axis.dilation - axis.pad, axis.stride)
            place = (moved[-1] - moved) // step
            axes.append(Axis(axis.out, -(-axis.size // axis.stride), int(place[0]) + 1, 1, step, int(moved[-1])))
            phases.append(phase)
            places.append(place)
        strides = [axis.stride for axis in self.kernel_axes]
        transposed = Depthwise(self.lowering.dtype, self.num, self.channels, axes, prod(strides))
        return transposed, strides, (slice(None), *np.ix_(*phases), *np.ix_(*places))

    def _run(self, x: Array, weight: Array, outs: Sequence[Array], bias: Array | None) -> None:
        """`run` for all outputs, each an array, which may be strided, and smaller than the axes say."""
        matrices = weight.reshape(self.channels, 1, self.outputs, -1)

        def part(piece: slice, own: _Memory) -> None:
            for images in self.images:
                windows, products = own.lower(piece, images)
                np.matmul(matrices[piece], windows, out=products)
                if bias is not None:
                    products += bias[piece].reshape(-1, 1, 1, 1)
                own.write(piece, images)

        share(part, self.pieces, partial(self._memory, x, outs))

    @contextmanager
    def _memory(self, x: Array, outs: Sequence[Array], channels: int) -> Iterator[_Memory]:
        """For one thread, which copies from x, and to or from `outs`."""
        images, (first, *rest), lowering = longest(self.images), self.axes, self.lowering
        shapes = [lowering.shape(images), (channels, first.out, self.outputs, images * lowering.positions),
                  (channels, first.out, self.outputs, first.taps * lowering.step)]
        with scratch(np, *((shape, lowering.dtype) for shape in shapes)) as (lowered, products, gradients):
            lowering.pad(lowered)
            x = x.reshape(*x.shape[:2], 1, *(axis.size for axis in self.axes))
            copies = [as_rows(target, source) for target, source in lowering.copies(x, lowered)]
            by_image = products.reshape(*products.shape[:3], images, *(axis.out for axis in rest))
            results = []
            for number, out in enumerate(outs):
                sizes = out.shape[2:] if self.walk else (1, *out.shape[2:])
                out = out.reshape(*out.shape[:2], *sizes).transpose(1, 2, 0, *range(3, 2 + len(sizes)))
                own: Index = (slice(None), slice(sizes[0]), number, slice(None), *map(slice, sizes[1:]))
                results.append(as_rows(by_image[own], out))
            yield _Memory(copies, lowering.matrices(lowered, images), products, results, gradients, lowering.positions)


class _Memory(NamedTuple):
    """A piece, lowered, and its products; with views of them, (channels, ..., images, *positions), beside views of the
    arrays of all channels and images that they are copied from or to.
    """

    copies: list[tuple[Array, Array]]  # (lowered, x)
    matrices: Array  # (channels, P, R * S, images * positions)
    products: Array  # (channels, P, outputs, images * positions)
    results: list[tuple[Array, Array]]  # of each output: (products, result)
    gradients: Array  # (channels, P, outputs, R * S)
    positions: int

    def lower(self, channels: slice, images: slice) -> tuple[Array, Array]:
        """(matrices, products) of these channels and images, the former lowered from x."""
        here, there = self._index(channels, images)
        for target, source in self.copies:
            target[here] = source[there]
        columns = here[0], ..., slice((images.stop - images.start) * self.positions)
        return self.matrices[columns], self.products[columns]

    def write(self, channels: slice, images: slice) -> None:
        """Copy the products to the results."""
        here, there = self._index(channels, images)
        for source, target in self.results:
            target[there] = source[here]

    def read(self, channels: slice, images: slice) -> None:
        """Copy what lies in the results to the products."""
        here, there = self._index(channels, images)
        for target, source in self.results:
            target[here] = source[there]

    def _index(self, channels: slice, images: slice) -> tuple[Index, Index]:
        """Where these channels and images are in the views of the piece, and in those of the whole arrays."""
        rest = [slice(None)] * (self.results[0][0].ndim - 3)
        here = slice(channels.stop - channels.start), ..., slice(images.stop - images.start), *rest
        return here, (channels, ..., images, *rest)
