"""Matrix products; a factor and a bias for every position of the middle axis of (outer, count, inner) arrays."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, Pieces, array_module, cut, cut_array, scratch, share, twin
from blobnet.ops.elementwise import long_rows

LEAST = 1 << 22  # multiplications and additions: for fewer, another thread costs more time than it saves
WHOLE_BYTES = 4 << 20  # a product up to this size is added in one go, which is faster than in pieces
SIDE = 64  # rows or columns: with fewer, a product is too flat to be fast


@twin
def matmul(a: Array, b: Array, out: Array) -> None:
    """out (M, N) = a (M, K) . b (K, N); its longer side is shared by the worker threads."""
    xp, pieces = array_module(a), _pieces(a, out)
    if out.shape[0] >= out.shape[1]:
        share(lambda piece: xp.matmul(a[piece], b, out=out[piece]), pieces)
    else:
        share(lambda piece: xp.matmul(a, b[:, piece], out=out[:, piece]), pieces)


@matmul.cuda
def _matmul_cuda(a: Array, b: Array, out: Array) -> None:
    array_module(a).matmul(a, b, out=out)


def add_matmul(a: Array, b: Array, out: Array) -> None:
    """out (M, N) += a (M, K) . b (K, N), without memory for the whole product if it is large."""
    xp, pieces, (rows, columns) = array_module(a), _pieces(a, out), out.shape
    if out.nbytes <= WHOLE_BYTES:
        with scratch(xp, (out.shape, out.dtype)) as (whole,):
            matmul(a, b, whole)
            out += whole
        return
    by_rows = rows >= columns

    def part(piece: slice, buffers: list[Array]) -> None:
        target = out[piece] if by_rows else out[:, piece]
        product = buffers[0][:target.size].reshape(target.shape)
        xp.matmul(a[piece] if by_rows else a, b if by_rows else b[:, piece], out=product)
        target += product

    share(part, pieces, lambda n: scratch(xp, ((n * min(rows, columns),), out.dtype)))


def _pieces(a: Array, out: Array) -> Pieces:
    """Pieces of the longer side of out = a . b; one on a GPU."""
    length, other = max(out.shape), min(out.shape)
    if array_module(a) is not np:
        return [slice(0, length)]
    return cut(length, length, max(SIDE, LEAST / max(1, a.shape[1] * other)))


def scale_shift(x: Array, factor: Array | None, bias: Array | None, out: Array) -> None:
    """out = x * factor + bias, for factor and bias (count); one of them may be None, and `out` may be x."""
    xp = array_module(x)
    factor, bias = (None if values is None else values.reshape(-1, 1) for values in (factor, bias))

    def part(piece: slice) -> None:
        rows, target = x[piece], out[piece]
        with long_rows(x.shape[2]):
            if factor is not None:
                rows = xp.multiply(rows, factor, out=target)
            if bias is not None:
                xp.add(rows, bias, out=target)

    share(part, cut_array(x))


def row_sums(x: Array, times: Array | None = None) -> Array:
    """The sums of x, or of x * times, over their last axis."""
    xp, length = array_module(x), x.shape[-1]
    if times is None:
        return xp.matmul(x, xp.ones(length, x.dtype))
    if xp is not np:
        return (x * times).sum(axis=-1)
    if length < SIDE:
        return np.einsum("...s,...s->...", x, times)
    return np.matmul(x[..., None, :], times[..., None])[..., 0, 0]


def channel_sums(x: Array, times: Array | None = None) -> Array:
    """The sums (C) of x (N, C, S), or of x * times, over N and S."""
    return row_sums(x, times).sum(axis=0)


def sums(dy: Array, x: Array | None = None) -> Array:
    """`channel_sums` of (outer, count, inner) on the worker threads: the gradients (count) to bias and factor."""
    found = array_module(dy).empty(dy.shape[:2], dy.dtype)

    def part(piece: slice) -> None:
        found[piece] = row_sums(dy[piece], None if x is None else x[piece])

    share(part, cut_array(dy))
    return found.sum(axis=0)
