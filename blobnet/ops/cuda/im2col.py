"""The columns of image patches under a kernel of two spatial axes, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from blobnet.backend import Array
from blobnet.ops import im2col as plain
from blobnet.ops.axes import Axis
from blobnet.ops.cuda.launch import launch
from blobnet.ops.im2col import Sizes, axes_of


def im2col(x: Array, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes, out: Array) -> None:
    axes = axes_of(x, kernel, stride, pad, dilation)
    if len(axes) == 2:
        lower(x, axes, out)
    else:
        plain.im2col.body(x, kernel, stride, pad, dilation, out)  # type: ignore[attr-defined]


def col2im(columns: Array, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes, x: Array) -> None:
    axes = axes_of(x, kernel, stride, pad, dilation)
    if len(axes) == 2:
        add_up(columns, axes, x)
    else:
        plain.col2im.body(columns, kernel, stride, pad, dilation, x)  # type: ignore[attr-defined]


def lower(x: Array, axes: Sequence[Axis], columns: Array, by_image: bool = True) -> None:
    """columns (N, C * R * S, P * Q) = the patches of x (N, C, H, W), or (C * R * S, N * P * Q) unless `by_image`."""
    places = x.shape[0] * x.shape[1] * prod(axis.out for axis in axes)
    launch("im2col", places, x, columns, *_steps(x, axes, by_image), x.shape[1], *axes[0], *axes[1], places)


def add_up(columns: Array, axes: Sequence[Axis], x: Array, bias: Array | None = None, by_image: bool = True) -> None:
    """x = the transpose of `lower`, plus bias (C)."""
    launch("col2im", x.size, columns, bias, x, *_steps(x, axes, by_image), x.shape[1], *axes[0], *axes[1], x.size)


def _steps(x: Array, axes: Sequence[Axis], by_image: bool) -> tuple[int, int]:
    """From an image to the next in the columns, and from a row to the next."""
    positions, rows = prod(axis.out for axis in axes), x.shape[1] * prod(axis.taps for axis in axes)
    return (rows * positions, positions) if by_image else (positions, len(x) * positions)
