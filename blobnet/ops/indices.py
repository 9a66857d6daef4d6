"""Whole numbers that name classes or rows: read from blobs, compared, and used as places to add to."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module, twin, whole_limit
from blobnet.errors import DataError


def class_numbers(values: Array, where: str, name: str) -> Array:
    """`values`, floating-point numbers of any shape, as int64.

    DataError, with the place of the first wrong one, for a number that is not whole, or so large that its neighbour has
    the same value: 2^24 and more, or -2^24 and less, in float32. `where` is the layer, `name` its bottom.
    """
    xp, limit = array_module(values), whole_limit(values.dtype)
    right = (xp.trunc(values) == values) & (abs(values) < limit)
    if not right.all():
        place = xp.argwhere(~right)[0].tolist()
        value = float(values[tuple(place)])
        raise DataError(where, f"{name!r} at {place}", got=f"{value:.10g}",
                        expected=f"a whole number below {limit} in size, as {values.dtype} holds them",
                        hint="classes and rows are counted in whole numbers from 0")
    return values.astype(xp.int64)


def require_below(numbers: Array, count: int, where: str, what: str = "labels", hint: str = "",
                  counted: Array | bool = True) -> None:
    """DataError, with the first wrong one, unless all `numbers`, where `counted`, are in 0 ... count - 1.

    `where` is the layer, and `what` the numbers are called; hint: what to do.
    """
    wrong = ((numbers < 0) | (numbers >= count)) & counted
    if wrong.any():
        raise DataError(where, expected=f"{what} in 0 ... {count - 1}", got=int(numbers[wrong][0]), hint=hint)


def class_members(classes: Array) -> Array:
    """(N, C) float64 of 0 and 1: row n has its 1 in the column of its class, of the C that occur in `classes` (N,)."""
    xp = array_module(classes)
    return (classes[:, None] == xp.unique(classes)).astype(xp.float64)


@twin("blobnet.ops.cuda.indices")
def scatter_add(target: Array, index: Array, values: Array) -> None:
    """target[index[i]] += values[i], for every i in turn, also where an index comes several times."""
    np.add.at(target, index, values)
