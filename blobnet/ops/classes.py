"""Class numbers: read from the floating-point numbers of a blob; which rows of a batch are of which class."""

from __future__ import annotations

from blobnet.backend import array_module, whole_limit
from blobnet.errors import DataError


def class_numbers(values, where: str, name: str):
    """`values`, floating-point numbers of any shape, as int64.

    DataError, with the place of the first, for one that is no whole number, or so large that it may stand for its
    neighbour: 2^24 in size and more in float32. `where` is the layer, `name` its bottom.
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


def class_members(classes):
    """(N, C) float64 of 0 and 1: row n has its 1 in the column of its class, of the C that occur in `classes` (N,)."""
    xp = array_module(classes)
    return (classes[:, None] == xp.unique(classes)).astype(xp.float64)
