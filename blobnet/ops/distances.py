"""Distances of the rows of one array x (M, D) to those of another, c (N, D)."""

from __future__ import annotations

from blobnet.backend import Array, Pieces, array_module, cut, twin
from blobnet.ops.linear import matmul

BYTES = 1 << 22  # of the differences (rows, N, D) that are computed at a time


@twin("blobnet.ops.cuda.distances")
def squared_distances_to(x: Array, c: Array, out: Array) -> None:
    """out (M, N) = ||x_m - c_n||^2, computed in float64, never negative."""
    xp = array_module(x)
    x, c = x.astype(xp.float64), c.astype(xp.float64)
    found = xp.empty(out.shape, xp.float64)
    matmul(x, c.T, found)
    found *= -2
    found += xp.square(x).sum(axis=1)[:, None]
    found += xp.square(c).sum(axis=1)
    xp.maximum(found, 0, out=out)


@twin("blobnet.ops.cuda.distances")
def absolute_distances(x: Array, c: Array, out: Array) -> None:
    """out (M, N) = sum_d |x_md - c_nd|."""
    xp = array_module(x)
    for piece in _pieces(x, c):
        xp.abs(x[piece, None] - c).sum(axis=2, out=out[piece])


@twin("blobnet.ops.cuda.distances")
def sums_by_side(x: Array, c: Array, above: Array, below: Array, out: Array) -> None:
    """out (M, D): the sum over n of above[m, n] where x_md > c_nd, less that of below[m, n] where x_md < c_nd."""
    xp = array_module(x)
    for piece in _pieces(x, c):
        difference = x[piece, None] - c
        for values, side, sign in ((above, difference > 0, 1), (below, difference < 0, -1)):
            part = xp.matmul(values[piece, None], side.astype(x.dtype))[:, 0]
            out[piece] = part if sign == 1 else out[piece] - part


def _pieces(x: Array, c: Array) -> Pieces:
    return cut(len(x), BYTES / max(1, c.nbytes))
