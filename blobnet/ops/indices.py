"""Whole numbers that name classes or rows: read from blobs, compared, and used as places to add to."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module, twin, whole_limit
from blobnet.errors import DataError


@twin("blobnet.ops.cuda.indices")
def class_numbers(values: Array, where: str, name: str) -> Array:
    """`values`, floating-point numbers of any shape, as int64.

    DataError, with the place of the first wrong one, for a number that is not whole, or so large that its neighbour has
    the same value: 2^24 and more, or -2^24 and less, in float32. `where` is the layer, `name` its bottom. On a GPU a
    net notes the error as a doubt, as all kernels here do, and goes on with 0 for a number that is wrong.
    """
    xp, limit = array_module(values), whole_limit(values.dtype)
    right = (xp.trunc(values) == values) & (abs(values) < limit)
    if not right.all():
        place = xp.argwhere(~right)[0].tolist()
        raise not_whole(where, name, place, float(values[tuple(place)]), values.dtype)
    return values.astype(xp.int64)


@twin("blobnet.ops.cuda.indices")
def numbers_below(values: Array, count: int, where: str, name: str, what: str = "labels", hint: str = "",
                  ignored: int | None = None) -> tuple[Array, Array]:
    """`values` as `class_numbers` gives them, but 0 where they are `ignored`; and, of bool, where they are not.

    DataError too, with the first wrong one, unless all others are in 0 ... count - 1. `where` is the layer, and `what`
    the numbers are called; hint: what to do.
    """
    xp, numbers = array_module(values), class_numbers(values, where, name)
    counted = xp.ones(numbers.shape, bool) if ignored is None else numbers != ignored
    wrong = ((numbers < 0) | (numbers >= count)) & counted
    if wrong.any():
        raise not_below(where, what, count, int(numbers[wrong][0]), hint)
    return numbers if ignored is None else xp.where(counted, numbers, 0), counted


def not_whole(where: str, name: str, place: list[int], value: float, dtype: np.dtype) -> DataError:
    """The error of `class_numbers`."""
    return DataError(where, f"{name!r} at {place}", got=f"{value:.10g}",
                     expected=f"a whole number below {whole_limit(dtype)} in size, as {dtype} holds them",
                     hint="classes and rows are counted in whole numbers from 0")


def not_below(where: str, what: str, count: int, number: int, hint: str) -> DataError:
    """The error of `numbers_below`."""
    return DataError(where, expected=f"{what} in 0 ... {count - 1}", got=number, hint=hint)


@twin("blobnet.ops.cuda.indices")
def class_members(classes: Array) -> Array:
    """(N, C) float64 of 0 and 1: row n has its 1 in the column of its class, of the C that occur in `classes` (N,).

    On a GPU there may be columns of zeros besides.
    """
    xp = array_module(classes)
    return (classes[:, None] == xp.unique(classes)).astype(xp.float64)


@twin("blobnet.ops.cuda.indices")
def tally(numbers: Array, size: int, counted: Array | None = None) -> Array:
    """How often each of 0 ... size - 1 occurs in `numbers`, integers of any shape, where they are counted: (size,)."""
    return np.bincount((numbers if counted is None else numbers[counted]).reshape(-1), minlength=size)


@twin("blobnet.ops.cuda.indices")
def scatter_add(target: Array, index: Array, values: Array) -> None:
    """target[index[i]] += values[i], for every i in turn, also where an index comes several times."""
    np.add.at(target, index, values)
