"""The positions of a kernel along spatial axes, and the columns of image patches under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np


def output_size(size: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> int:
    """How many positions a kernel has along an axis of `size`; not positive if it does not fit once.

    The division rounds towards 0, as in C++: a kernel that reaches less than a stride beyond the end still has one.

    >>> output_size(32, 5, stride=2, pad=2), output_size(2, 3, stride=2), output_size(2, 3)
    (16, 1, 0)
    """
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    return (room // stride if room >= 0 else -(-room // stride)) + 1


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


def im2col(x, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int], out) -> None:
    """out (N, C * prod(kernel), *out_shape) = the patches of x (N, C, *spatial) under every kernel position."""
    axes = _axes(x, kernel, stride, pad, dilation)
    columns = _by_taps(out, axes, x.shape[1])
    columns[...] = 0
    for target, source in _taps(axes):
        columns[target] = x[source]


def col2im(columns, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int],
           x) -> None:
    """x = the transpose of `im2col`: every patch added back where it came from."""
    x[...] = 0
    add_columns(columns, _axes(x, kernel, stride, pad, dilation), x)


def add_columns(columns, axes: Sequence[Axis], x) -> None:
    """x += every patch in `columns` (N, C * prod(kernel), ...), where it came from."""
    columns = _by_taps(columns, axes, x.shape[1])
    for source, target in _taps(axes):
        x[target] += columns[source]


def _axes(x, kernel, stride, pad, dilation) -> list[Axis]:
    out_shape = map(output_size, x.shape[2:], kernel, stride, pad, dilation)
    return list(map(Axis, x.shape[2:], out_shape, kernel, stride, dilation, pad))


def _by_taps(columns, axes: Sequence[Axis], channels: int):
    """(N, C * prod(kernel), ...) seen as (N, C, *kernel, *out_shape)."""
    return columns.reshape(len(columns), channels, *(axis.taps for axis in axes), *(axis.out for axis in axes))


def _taps(axes: Sequence[Axis]) -> Iterator[tuple[tuple, tuple]]:
    """For each kernel tap, the index of its values in the columns and in x."""
    for taps in product(*(range(axis.taps) for axis in axes)):
        ranges = [axis.range(tap) for axis, tap in zip(axes, taps)]
        yield (..., *taps, *(out for out, _ in ranges)), (..., *(inside for _, inside in ranges))


def copy_rows(target, source) -> None:
    """target[...] = source; rows that lie contiguous in both are copied as one item each, twice as fast if short."""
    item, row = target.itemsize, target.shape[-1]
    rows = isinstance(target, np.ndarray) and target.strides[-1] == source.strides[-1] == item and row
    if rows and target.dtype == source.dtype:
        target, source = (array.view(f"V{row * item}") for array in (target, source))
    target[...] = source
