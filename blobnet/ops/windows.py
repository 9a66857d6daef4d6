"""Pooling over windows of any number of spatial axes: maximum and average, with Caffe's windows and divisors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np

from blobnet.backend import array_module
from blobnet.ops.im2col import Axis, copy_rows
from blobnet.ops.scatter import scatter_add
from blobnet.ops.share import Pieces, longest, pieces_of, share

MERGED_SIZE = 1 << 15  # of a matrix that averages along several axes at once


def pooled_size(size: int, kernel: int, stride: int, pad: int, ceil: bool = True) -> int:
    """How many windows lie along an axis of `size`: a last window that would start in the far padding is dropped.

    >>> pooled_size(32, 3, 2, 0), pooled_size(32, 3, 2, 0, ceil=False), pooled_size(6, 3, 2, 1)
    (16, 15, 4)
    """
    room = size + 2 * pad - kernel
    windows = (-(-room // stride) if ceil else room // stride) + 1
    return windows - 1 if pad and (windows - 1) * stride >= size + pad else windows


class MaxPool:
    """Maxima over windows of fixed shapes: x (N, C, *spatial) -> (N, C, *pooled), one `Axis` for each spatial axis.

    The planes of a chunk are first copied apart into phases, positions that agree modulo the stride, padded with the
    lowest number. In these, each kernel tap of all windows is one contiguous run, so a running maximum takes a few
    passes at full speed. `taps` keeps for each window which tap won, as 1 + its offset in the plane from the window's
    corner, and 0 if none did: the offsets rise in scan order, so a plain maximum keeps them current.
    """

    def __init__(self, xp, dtype, num: int, channels: int, axes: Sequence[Axis]):
        self.xp, self.dtype, self.axes = xp, np.dtype(dtype), tuple(axes)
        self.planes = num * channels
        self.size, self.out = tuple(axis.size for axis in axes), tuple(axis.out for axis in axes)
        strides = [axis.stride if axis.out > 1 else max(axis.stride, axis.taps) for axis in axes]
        self._phase_size = tuple(axis.out + (axis.taps - 1) // stride for axis, stride in zip(axes, strides))
        self._phases = {}  # residues: (positions in the phase, positions in x)
        self._steps = []  # each tap in scan order: its phase, its shift in the flat phase, 1 + its offset in the plane
        for taps in product(*(range(axis.taps) for axis in axes)):
            residues = tuple(tap % stride for tap, stride in zip(taps, strides))
            if residues not in self._phases:
                ranges = [Axis(axis.size, length, stride, stride, 1, axis.pad).range(residue)
                          for axis, length, stride, residue in zip(axes, self._phase_size, strides, residues)]
                self._phases[residues] = tuple(inside for inside, _ in ranges), tuple(inside for _, inside in ranges)
            shift = _flat([tap // stride for tap, stride in zip(taps, strides)], self._phase_size)
            self._steps.append((residues, shift, 1 + _flat(taps, self.size)))
        corners = [np.arange(axis.out) * axis.stride - axis.pad for axis in axes]
        corner = np.zeros(self.out, np.intp) - 1
        for positions, step in zip(np.ix_(*corners), [prod(self.size[i + 1:]) for i in range(len(axes))]):
            corner += positions * step
        self._corner = xp.asarray(corner)
        self.taps = xp.zeros((self.planes, *self.out), np.min_scalar_type(self._steps[-1][2]))

    def forward(self, x, out) -> None:
        """out = the largest value of each window; among equal ones the first in scan order wins the gradient.

        NaN is never the largest. A window without any number above the lowest finite one gives that, and no gradient.
        """
        xp, lowest = self.xp, np.finfo(self.dtype).min
        x, out = x.reshape(self.planes, *self.size), out.reshape(self.planes, *self.out)
        area, inside = prod(self._phase_size), (slice(None), *map(slice, self.out))

        def part(run: Pieces) -> None:
            chunk = longest(run)
            room = chunk * area + self._steps[-1][1]
            phases = {residues: xp.full(room, lowest, self.dtype) for residues in self._phases}
            best, larger = xp.empty(chunk * area, self.dtype), xp.empty(chunk * area, np.uint8)
            won, tap = xp.empty(chunk * area, self.taps.dtype), xp.empty(chunk * area, self.taps.dtype)
            for a, b in run:
                for residues, (target, source) in self._phases.items():
                    phase = phases[residues][:chunk * area].reshape(chunk, *self._phase_size)
                    phase[(slice(b - a), *target)] = x[(slice(a, b), *source)]
                best[...], won[...] = lowest, 0
                for residues, shift, offset in self._steps:
                    values = phases[residues][shift:shift + len(best)]
                    xp.greater(values, best, out=larger.view(bool))
                    xp.fmax(values, best, out=best)
                    xp.multiply(larger, self.taps.dtype.type(offset), out=tap)
                    xp.maximum(won, tap, out=won)
                copy_rows(out[a:b], best.reshape(chunk, *self._phase_size)[inside][:b - a])
                copy_rows(self.taps[a:b], won.reshape(chunk, *self._phase_size)[inside][:b - a])

        share(xp, part, pieces_of(x))

    def places(self, out) -> None:
        """out = where in its plane each maximum of the last forward lies, h * W + w; -1 if a window had none."""
        out = out.reshape(self.taps.shape)
        out[...] = self._corner + self.taps
        out[self.taps == 0] = -1

    def backward(self, top_diff, x_diff) -> None:
        """x_diff = the gradients of the windows, each where the last forward found the maximum, summed."""
        xp, top_diff, x_diff = self.xp, top_diff.reshape(self.taps.shape), x_diff.reshape(self.planes, *self.size)

        def part(run: Pieces) -> None:
            chunk = longest(run)
            corners = xp.arange(chunk).reshape(chunk, *[1] * len(self.axes)) * prod(self.size) + self._corner
            index = xp.empty_like(corners)
            for a, b in run:
                taps, target = self.taps[a:b], x_diff[a:b].reshape(-1)
                where = xp.add(taps, corners[:b - a], out=index[:b - a]).reshape(-1)
                values = top_diff[a:b].reshape(-1)
                if not taps.all():
                    won = taps.reshape(-1) > 0
                    where, values = where[won], values[won]
                target[...] = 0
                scatter_add(target, where, values)

        share(xp, part, pieces_of(x_diff))


def _flat(position: Sequence[int], shape: Sequence[int]) -> int:
    """The index of `position` in a flattened array of `shape`."""
    flat = 0
    for index, size in zip(position, shape):
        flat = flat * size + index
    return flat


def average_matrices(xp, dtype, axes: Sequence[Axis]) -> list:
    """Matrices that average over windows, for `average_pool`: one for each axis, small neighbours merged into one.

    Row p of an axis' matrix is 1 / divisor where window p covers x; the divisor counts padding too, up to size + pad.
    A window beyond x averages to 0.
    """
    merged = []
    for axis in reversed(axes):
        matrix = np.zeros((axis.out, axis.size))
        for p in range(axis.out):
            start = p * axis.stride - axis.pad
            stop = min(start + axis.taps, axis.size + axis.pad)
            matrix[p, max(start, 0):min(stop, axis.size)] = 1 / max(stop - start, 1)
        if merged and matrix.size * merged[0].size <= MERGED_SIZE:
            merged[0] = np.kron(matrix, merged[0])
        else:
            merged.insert(0, matrix)
    return [xp.asarray(matrix, dtype) for matrix in merged]


def average_pool(x, matrices: Sequence, out) -> None:
    """out (N, C, *pooled) = x (N, C, *spatial) with each of its (merged) spatial axes multiplied by its matrix.

    The transposed matrices give the gradient. Matrix products are faster here than sums of slices.
    """
    xp, planes = array_module(x), x.shape[0] * x.shape[1]
    x, out = x.reshape(planes, *(m.shape[1] for m in matrices)), out.reshape(planes, *(m.shape[0] for m in matrices))
    first, rest = matrices[0], list(enumerate(matrices))[:0:-1]

    def part(run: Pieces) -> None:
        for a, b in run:
            value, target = x[a:b], out[a:b]
            for i, matrix in rest:
                value = _along(value, matrix, i + 1)
            if rest:
                xp.matmul(first, value.reshape(b - a, first.shape[1], -1), out=target.reshape(b - a, len(first), -1))
            else:
                xp.matmul(value, first.T, out=target)

    share(xp, part, pieces_of(x))


def _along(x, matrix, axis: int):
    """`x` with `axis` multiplied by `matrix`."""
    shape = (*x.shape[:axis], len(matrix), *x.shape[axis + 1:])
    if axis == x.ndim - 1:
        return (x.reshape(-1, x.shape[-1]) @ matrix.T).reshape(shape)
    return (matrix @ x.reshape(-1, x.shape[axis], prod(x.shape[axis + 1:]))).reshape(shape)
