"""Element-wise kernels, and the way to run any of them in cache-sized parts on the worker threads."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

import numpy as np

from blobnet.backend import Array, array_module, cut_array, scratch, share, twin

BUFFER = 64  # numbers
LONG = 256   # rows that a smaller buffer pays for

SHORT = 128  # values of a row


def in_parts(body: Callable, *arrays: Array) -> list:
    """The results of body(*parts) for parts of the arrays along their first axis, in order; on a GPU all is one part.

    Parts fit the cache, so that what the body allocates is cheap. Overflows, divisions by 0 and NaN give no warnings:
    they go on into the result, as in Caffe.
    """
    def part(piece: slice):
        with np.errstate(all="ignore"):
            return body(*(array[piece] for array in arrays))

    return share(part, cut_array(arrays[0]))


def elementwise(body: Callable, *arrays: Array) -> None:
    """Call body(*parts) on flat parts of contiguous arrays of one size; one array given twice gives one part twice."""
    in_parts(body, *(array.reshape(-1) for array in arrays))


def copy_rows(target: Array, source: Array) -> None:
    """target[...] = source, of one shape, and fast if rows are short; see `as_rows`."""
    target, source = as_rows(target, source)
    target[...] = source


def as_rows(target: Array, source: Array) -> tuple[Array, Array]:
    """Both arrays, with each row along the last axis as one item if rows are short, and contiguous in both.

    Such items are copied twice as fast. Longer ones gain less, and NumPy keeps other threads waiting while it copies up
    to 500 items.
    """
    item, row = target.itemsize, target.shape[-1]
    rows = isinstance(target, np.ndarray) and target.strides[-1] == source.strides[-1] == item and 0 < row <= SHORT
    if rows and target.dtype == source.dtype:
        kind = f"V{row * item}"
        return target.view(kind), source.view(kind)
    return target, source


@contextlib.contextmanager
def long_rows(length: int) -> Iterator[None]:
    """Let operands that repeat along rows of `length` numbers be read in place, which takes half the time.

    NumPy copies them into its buffer again and again, unless the buffer is shorter than a row.
    """
    if length < LONG:
        yield
        return
    before = np.setbufsize(BUFFER)
    try:
        yield
    finally:
        np.setbufsize(before)


@functools.lru_cache(16)
def _zeros(count: int, dtype: np.dtype) -> np.ndarray:
    return np.zeros(count, dtype)


def keep_positive(x: Array, out: Array) -> None:
    """out = max(x, 0), which NumPy finds four times as fast beside zeros as beside one 0; out may be x."""
    xp = array_module(x)
    xp.maximum(x, _zeros(x.shape[-1], x.dtype) if xp is np else 0, out=out)


def is_positive(x: Array, out: Array) -> None:
    """out = 1 where x > 0, else 0, of the dtype of out."""
    xp = array_module(x)
    with scratch(xp, (x.shape, np.bool_)) as (mask,):
        xp.greater(x, 0, out=mask)
        out[...] = mask


@twin("blobnet.ops.cuda.elementwise")
def relu_forward(x: Array, slope: float | Array, y: Array) -> None:
    """y = max(x, 0) + slope * min(x, 0); slope is a number, or an array that broadcasts to x[0]; y may be x."""
    xp, plain = array_module(x), isinstance(slope, float) and slope == 0

    def part(x: Array, y: Array) -> None:
        if plain:
            keep_positive(x, y)
            return
        negative = xp.minimum(x, 0)
        negative *= slope
        keep_positive(x, y)
        y += negative

    in_parts(part, x, y)


@twin("blobnet.ops.cuda.elementwise")
def relu_backward(x: Array, dy: Array, slope: float | Array, dx: Array) -> None:
    """dx = dy where x > 0, else slope * dy; slope as in `relu_forward`; dx may be dy."""
    xp, plain = array_module(x), isinstance(slope, float) and slope == 0

    def part(x: Array, dy: Array, dx: Array) -> None:
        with scratch(xp, (x.shape, x.dtype)) as (factor,):
            is_positive(x, factor)
            if not plain:
                factor += (1 - factor) * slope
            xp.multiply(dy, factor, out=dx)

    in_parts(part, x, dy, dx)


@twin("blobnet.ops.cuda.elementwise")
def relu_slope_gradient(x: Array, dy: Array) -> Array:
    """The gradient to one slope for each channel, (C); x and dy are (N, C, positions): sum of dy * min(x, 0)."""
    xp = array_module(x)

    def part(x: Array, dy: Array) -> Array:
        negative = xp.minimum(x, 0)
        negative *= dy
        return negative.sum(axis=(0, 2))

    return sum(in_parts(part, x, dy), xp.zeros(x.shape[1], x.dtype))


@twin("blobnet.ops.cuda.elementwise")
def tanh_backward(y: Array, dy: Array, dx: Array) -> None:
    """dx = dy * (1 - y * y), for y = tanh(x); dx may be dy."""
    xp = array_module(y)
    slope = xp.square(y)
    xp.subtract(1, slope, out=slope)
    xp.multiply(dy, slope, out=dx)


@twin("blobnet.ops.cuda.elementwise")
def thin(x: Array, mask: Array, factor: float, y: Array) -> None:
    """y = x * mask * factor, for a mask of booleans; y may be x."""
    array_module(x).multiply(x, mask, out=y)
    if factor != 1:
        y *= factor
