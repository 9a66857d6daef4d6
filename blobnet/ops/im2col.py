"""The columns of image patches under a kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blobnet.backend import Array, twin
from blobnet.ops.axes import Axis, Index, output_size, steps

Sizes = Sequence[int]  # one number for each spatial axis


@twin("blobnet.ops.cuda.im2col")
def im2col(x: Array, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes, out: Array) -> None:
    """out (N, C * prod(kernel), *out_shape) = the patches of x (N, C, *spatial) under every kernel position."""
    axes = axes_of(x, kernel, stride, pad, dilation)
    columns = _by_taps(out, axes, x.shape[1])
    columns[...] = 0
    for target, source in _places(axes):
        columns[target] = x[source]


@twin("blobnet.ops.cuda.im2col")
def col2im(columns: Array, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes, x: Array) -> None:
    """x = the transpose of `im2col`: every patch added back where it came from."""
    x[...] = 0
    add_columns(columns, axes_of(x, kernel, stride, pad, dilation), x)


def add_columns(columns: Array, axes: Sequence[Axis], x: Array) -> None:
    """x += every patch in `columns` (N, C * prod(kernel), ...), where it came from."""
    columns = _by_taps(columns, axes, x.shape[1])
    for source, target in _places(axes):
        x[target] += columns[source]


def axes_of(x: Array, kernel: Sizes, stride: Sizes, pad: Sizes, dilation: Sizes) -> list[Axis]:
    out_shape = map(output_size, x.shape[2:], kernel, stride, pad, dilation)
    return list(map(Axis, x.shape[2:], out_shape, kernel, stride, dilation, pad))


def _by_taps(columns: Array, axes: Sequence[Axis], channels: int) -> Array:
    """(N, C * prod(kernel), ...) seen as (N, C, *kernel, *out_shape)."""
    return columns.reshape(len(columns), channels, *(axis.taps for axis in axes), *(axis.out for axis in axes))


def _places(axes: Sequence[Axis]) -> Iterator[tuple[Index, Index]]:
    """For each kernel tap, the index of its values in the columns and in x."""
    for taps, out, inside in steps(axes):
        yield (..., *taps, *out), (..., *inside)
