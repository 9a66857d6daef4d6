"""Averages over windows of any number of spatial axes, with Caffe's divisors, as matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import Array, array_module, cut_array, folded, share, twin
from blobnet.ops.axes import Axis, Index

MERGED_SIZE = 1 << 15  # of a matrix that averages along several axes at once
LEAST_BYTES = 1 << 16  # of a piece; the last bits of products depend on their size, so it stays as it is


def average_matrices(xp: ModuleType, dtype, axes: Sequence[Axis]) -> list[Array]:
    """Matrices that average over windows, for `average_pool`: one for each axis, or for neighbouring axes if small.

    Row p of the matrix of an axis is 1 / divisor where window p covers x; the divisor counts padding too, but nothing
    from size + pad on. The average of a window beyond x is 0.
    """
    merged: list[np.ndarray] = []
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


def average_pool(x: Array, matrices: Sequence[Array], out: Array) -> None:
    """out (N, C, *pooled) = x (N, C, *spatial) with each of its (merged) spatial axes multiplied by its matrix.

    The transposed matrices give the gradient. Matrix products are faster here than sums of slices.
    """
    xp, planes = array_module(x), x.shape[0] * x.shape[1]
    x, out = x.reshape(planes, *(m.shape[1] for m in matrices)), out.reshape(planes, *(m.shape[0] for m in matrices))
    first, rest = matrices[0], list(enumerate(matrices))[:0:-1]

    def part(piece: slice) -> None:
        value, target = x[piece], out[piece]
        for i, matrix in rest:
            value = _along(value, matrix, i + 1)
        if rest:
            xp.matmul(first, value.reshape(folded(value.shape, 1, 2)), out=target.reshape(folded(target.shape, 1, 2)))
        else:
            xp.matmul(value, first.T, out=target)

    share(part, cut_array(x, least=LEAST_BYTES))


def _along(x: Array, matrix: Array, axis: int) -> Array:
    """`x` with `axis` multiplied by `matrix`."""
    shape = (*x.shape[:axis], len(matrix), *x.shape[axis + 1:])
    if axis == x.ndim - 1:
        return (x.reshape(-1, x.shape[-1]) @ matrix.T).reshape(shape)
    return (matrix @ x.reshape(folded(x.shape, axis, axis + 1))).reshape(shape)


@twin("blobnet.ops.cuda.pooling")
class AveragePool:
    """Averages over windows of fixed shapes: x (N, C, *spatial) -> (N, C, *pooled), one `Axis` a spatial axis."""

    def __init__(self, xp: ModuleType, dtype, axes: Sequence[Axis]):
        self.matrices = average_matrices(xp, dtype, axes)
        self.transposed = [matrix.T for matrix in self.matrices]
        # Windows that start right where x and its padding end: their divisor is 0.
        self.nothing: list[Index] = [(..., p, *[slice(None)] * (len(axes) - 1 - i)) for i, axis in enumerate(axes)
                        for p in range(axis.out) if p * axis.stride - axis.pad == axis.size + axis.pad]

    def forward(self, x: Array, out: Array) -> None:
        average_pool(x, self.matrices, out)
        for windows in self.nothing:
            out[windows] = np.nan

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        average_pool(top_diff, self.transposed, x_diff)
