"""Element-wise kernels, and the way to run any of them in cache-sized parts on the worker threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.backend import array_module
from blobnet.ops.share import Pieces, pieces_of, share

LEAST_BYTES = 1 << 18  # another thread costs more than it brings to a smaller piece


def in_parts(body: Callable, *arrays) -> list:
    """The results of body(*parts) on parts of the arrays along their first axis, in order; a GPU takes all as one part.

    Parts fit the cache, so that what the body allocates is cheap. Overflows, divisions by 0 and nan are no warnings:
    they flow on, as in Caffe.
    """
    first = arrays[0]

    def part(pieces: Pieces) -> list:
        with np.errstate(all="ignore"):
            return [body(*(array[a:b] for array in arrays)) for a, b in pieces]

    shares = share(array_module(first), part, pieces_of(first, least=LEAST_BYTES))
    return [result for results in shares for result in results]


def elementwise(body: Callable, *arrays) -> None:
    """Call body(*parts) on flat parts of contiguous arrays of one size. Arrays that are one and the same stay so."""
    in_parts(body, *(array.reshape(-1) for array in arrays))


def relu_forward(x, slope, y) -> None:
    """y = max(x, 0) + slope * min(x, 0); slope is a number, or an array that spreads over x[0]; y may be x."""
    xp, plain = array_module(x), isinstance(slope, float) and slope == 0

    def part(x, y):
        if plain:
            xp.maximum(x, 0, out=y)
            return
        negative = xp.minimum(x, 0)
        negative *= slope
        xp.maximum(x, 0, out=y)
        y += negative

    in_parts(part, x, y)


def relu_backward(x, dy, slope, dx) -> None:
    """dx = dy where x > 0, else slope * dy; slope as in `relu_forward`; dx may be dy."""
    xp, plain = array_module(x), isinstance(slope, float) and slope == 0

    def part(x, dy, dx):
        factor = (x > 0).astype(x.dtype)
        if not plain:
            rest = 1 - factor
            rest *= slope
            factor += rest
        xp.multiply(dy, factor, out=dx)

    in_parts(part, x, dy, dx)


def relu_slope_gradient(x, dy):
    """The derivative by one slope a channel, for x and dy of shape (N, C, positions): sum of dy * min(x, 0)."""
    xp = array_module(x)

    def part(x, dy):
        negative = xp.minimum(x, 0)
        negative *= dy
        return negative.sum(axis=(0, 2))

    return sum(in_parts(part, x, dy), xp.zeros(x.shape[1], x.dtype))
