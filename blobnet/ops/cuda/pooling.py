"""Pooling over windows of one or two axes; other numbers of axes have the body."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType

from blobnet.backend import Array, array_module
from blobnet.ops import average_pool, max_pool
from blobnet.ops.axes import Axis
from blobnet.ops.cuda.launch import launch, launch_rows

LARGE = 256  # positions of a window from which a block adds them up


def MaxPool(xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):  # noqa: N802
    kind = _Maxima if len(axes) <= 2 else max_pool.MaxPool.body  # type: ignore[attr-defined]
    return kind(xp, dtype, num, channels, axes)


TileMax = MaxPool  # whether windows lie side by side makes no difference here


def AveragePool(xp: ModuleType, dtype, axes: Sequence[Axis]):  # noqa: N802
    kind = _Averages if len(axes) <= 2 else average_pool.AveragePool.body  # type: ignore[attr-defined]
    return kind(xp, dtype, axes)


class _Maxima:
    """`places` keeps where in its plane each maximum lies, -1 if a window has none."""

    def __init__(self, xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):
        self._sizes, self._lowest = _sizes(axes), xp.finfo(dtype).min
        self._places = xp.full((num, channels, *(axis.out for axis in axes)), -1, xp.int32)

    def forward(self, x: Array, out: Array) -> None:
        launch("max_pool", out.size, x, out, self._places, self._lowest, *self._sizes, out.size)

    def places(self, out: Array) -> None:
        out[...] = self._places

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        top_diff = array_module(top_diff).ascontiguousarray(top_diff)
        launch("max_pool_backward", x_diff.size, top_diff, self._places, x_diff, *self._sizes, x_diff.size)


class _Averages:
    def __init__(self, xp: ModuleType, dtype, axes: Sequence[Axis]):
        self._sizes = _sizes(axes)
        self._large = math.prod(min(axis.taps, axis.size) for axis in axes) >= LARGE

    def forward(self, x: Array, out: Array) -> None:
        if self._large:
            launch_rows("average_pool_large", out.size, x, out, *self._sizes, out.size)
        else:
            launch("average_pool", out.size, x, out, *self._sizes, out.size)

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        top_diff = array_module(top_diff).ascontiguousarray(top_diff)
        launch("average_pool_backward", x_diff.size, top_diff, x_diff, *self._sizes, x_diff.size)


def _sizes(axes: Sequence[Axis]) -> list[int]:
    """H, W, P, Q and so on: what a kernel is told of both axes; one axis is a plane of one row."""
    both = [Axis(1, 1, 1)] * (2 - len(axes)) + list(axes)
    return [getattr(axis, kind) for kind in ("size", "out", "taps", "stride", "pad") for axis in both]
