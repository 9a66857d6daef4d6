"""Where a kernel or a window lies along spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

Index = tuple[Any, ...]  # of an array: numbers, slices, ellipsis


def output_size(size: int, kernel: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> int:
    """How many positions a kernel has along an axis of `size`; not positive if it does not fit once.

    The division rounds towards 0, as in C++: a kernel that reaches less than a stride beyond the end still has one.

    >>> output_size(32, 5, stride=2, pad=2), output_size(2, 3, stride=2), output_size(2, 3)
    (16, 1, 0)
    """
    room = size + 2 * pad - dilation * (kernel - 1) - 1
    return (room // stride if room >= 0 else -(-room // stride)) + 1


def pooled_size(size: int, kernel: int, stride: int, pad: int, ceil: bool = True) -> int:
    """How many windows of pooling lie along an axis of `size`.

    A last window that would begin in the padding at the far end does not count.

    >>> pooled_size(32, 3, 2, 0), pooled_size(32, 3, 2, 0, ceil=False), pooled_size(6, 3, 2, 1)
    (16, 15, 4)
    """
    room = size + 2 * pad - kernel
    windows = (-(-room // stride) if ceil else room // stride) + 1
    return windows - 1 if pad and (windows - 1) * stride >= size + pad else windows


class Axis(NamedTuple):
    """One spatial axis: x has `size` positions, out has `out`, the kernel has `taps`; `pad` may be negative (a crop).

    Tap r of output p falls on position p * stride + r * dilation - pad of x.
    """

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


def steps(axes: Sequence[Axis]) -> Sequence[tuple[tuple[int, ...], Index, Index]]:
    """(tap, out positions, x positions) for every tap of the kernel in scan order: where that tap falls inside x."""
    return _steps(tuple(axes))


@lru_cache(256)  # a small convolution would wait longer for them than for its products
def _steps(axes: tuple[Axis, ...]) -> Sequence[tuple[tuple[int, ...], Index, Index]]:
    found = []
    for taps in product(*(range(axis.taps) for axis in axes)):
        ranges = [axis.range(tap) for axis, tap in zip(axes, taps)]
        found.append((taps, tuple(out for out, _ in ranges), tuple(inside for _, inside in ranges)))
    return tuple(found)
