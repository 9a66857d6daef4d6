"""Matrix products; a factor and a bias for every position of the middle axis of (outer, count, inner) arrays."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, cut, cut_array, scratch, share, twin
from blobnet.ops.elementwise import long_rows

LEAST = 1 << 22  # multiplications and additions: for fewer, another thread costs more time than it saves
LONG = 64  # values of a row: in a call of its own for each row, BLAS adds up no fewer as fast
SIDE = 128  # rows or columns: with fewer, a product is too flat to be fast


class Product(NamedTuple):
    """out (M, N) = a (M, K) . b (K, N), or out += a . b."""

    a: Array
    b: Array
    out: Array
    add: bool = False


@twin("blobnet.ops.cuda.linear")
def multiply(*products: Product) -> None:
    """Compute the products; the worker threads share all of them at once, each cut along the longer side of out."""
    cuts = [_cut(product) for product in products]
    if len(cuts) > 1:  # every stretch of the parts has its share of each product
        places = [((i + 0.5) / len(parts), part) for parts in cuts for i, part in enumerate(parts)]
        cuts = [[part for _, part in sorted(places, key=itemgetter(0))]]
    for parts in cuts:
        share(_compute, parts)


def matmul(a: Array, b: Array, out: Array) -> None:
    """out (M, N) = a (M, K) . b (K, N), by `multiply`."""
    multiply(Product(a, b, out))


def add_matmul(a: Array, b: Array, out: Array) -> None:
    """out (M, N) += a (M, K) . b (K, N), likewise."""
    multiply(Product(a, b, out, add=True))


@twin("blobnet.ops.cuda.linear")
def matrix_product(a: Array, b: Array) -> Array:
    """a @ b, a new array: the product of two matrices, or of a matrix and a vector."""
    return a @ b


def _cut(product: Product) -> list[Product]:
    a, b, out, add = product
    (rows, columns), inner = out.shape, a.shape[1]
    by_rows, length, other = rows >= columns, max(out.shape), min(out.shape)
    least = max(SIDE, LEAST / max(1, inner * other))
    if length < 2 * least:
        return [product]
    pieces = cut(length, length, least)
    return [Product(a[piece], b, out[piece], add) if by_rows else Product(a, b[:, piece], out[:, piece], add)
            for piece in pieces]


def _compute(product: Product) -> None:
    a, b, out, add = product
    if not add:
        np.matmul(a, b, out=out)
        return
    with scratch(np, (out.shape, out.dtype)) as (found,):
        np.matmul(a, b, out=found)
        out += found


@twin("blobnet.ops.cuda.linear")
def scale_shift(x: Array, factor: Array | None, bias: Array | None, out: Array) -> None:
    """out = x * factor + bias, for factor and bias (count); one of them may be None, and `out` may be x."""
    factor, bias = (None if values is None else values.reshape(-1, 1) for values in (factor, bias))

    def part(piece: slice) -> None:
        rows, target = x[piece], out[piece]
        with long_rows(x.shape[2]):
            if factor is not None:
                rows = np.multiply(rows, factor, out=target)
            if bias is not None:
                np.add(rows, bias, out=target)

    share(part, cut_array(x))


def row_sums(x: Array, times: Array | None = None) -> Array:
    """The sums of x, or of x * times, over their last axis."""
    length = x.shape[-1]
    if times is None:
        return np.matmul(x, np.ones(length, x.dtype))
    if length < LONG:
        return np.einsum("...s,...s->...", x, times)
    return np.matmul(x[..., None, :], times[..., None])[..., 0, 0]


@twin("blobnet.ops.cuda.linear")
def channel_sums(x: Array, times: Array | None = None) -> Array:
    """The sums (C) of x (N, C, S), or of x * times, over N and S."""
    return row_sums(x, times).sum(axis=0)


@twin("blobnet.ops.cuda.linear")
def sums(dy: Array, x: Array | None = None) -> Array:
    """`channel_sums` of (outer, count, inner) on the worker threads: the gradients (count) to bias and factor."""
    found = np.empty(dy.shape[:2], dy.dtype)

    def part(piece: slice) -> None:
        found[piece] = row_sums(dy[piece], None if x is None else x[piece])

    share(part, cut_array(dy))
    return found.sum(axis=0)


@twin("blobnet.ops.cuda.linear")
def add_sums(dy: Array, x: Array | None, diff: Array) -> None:
    """diff, of count numbers, += `sums`."""
    diff += sums(dy, x).reshape(diff.shape)


@twin("blobnet.ops.cuda.linear")
def add_rows(x: Array, out: Array) -> None:
    """out (K) += the rows of x (N, K), one after the other, the order in which BLAS adds them for Caffe."""
    np.vstack((out, x)).sum(axis=0, out=out)
