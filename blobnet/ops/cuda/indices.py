"""Whole numbers, checked without waiting, and sums at places that may come several times."""

from __future__ import annotations

from typing import Any

import numpy as np

from blobnet.backend import Array, Wrong, array_module, doubt, whole_limit
from blobnet.errors import DataError
from blobnet.ops import indices
from blobnet.ops.cuda.launch import launch, launch_rows

MOST_ROWS = 4096      # of which every one is compared with every other
MOST_STEPS = 1 << 32  # of a sum in order


def class_numbers(values: Array, where: str, name: str) -> Array:
    return _read(values, where, name)[0]


def numbers_below(values: Array, count: int, where: str, name: str, what: str = "labels", hint: str = "",
                  ignored: int | None = None) -> tuple[Array, Array]:
    return _read(values, where, name, count, what, hint, ignored)


def _read(values: Array, where: str, name: str, count: int | None = None, what: str = "", hint: str = "",
          ignored: int | None = None) -> tuple[Array, Any]:
    """The numbers, and with a `count` where they are not ignored."""
    xp, shape, size, dtype = array_module(values), values.shape, values.size, values.dtype
    limit = whole_limit(dtype)

    def error(wrong: Wrong) -> DataError:
        if count is not None and np.trunc(wrong.value) == wrong.value and abs(wrong.value) < limit:
            return indices.not_below(where, what, count, int(wrong.value), hint)
        place = [int(i) for i in np.unravel_index(wrong.place % size, shape)]
        return indices.not_whole(where, name, place, wrong.value, dtype)

    values = xp.ascontiguousarray(values)
    numbers, counted = xp.empty(shape, np.int64), None if count is None else xp.empty(shape, np.bool_)
    with doubt(xp, (where, name), error) as (state, slot):
        launch("whole_numbers", size, values, limit, count is not None, count or 0, ignored is not None, ignored or 0,
               numbers, counted, state, slot, size)
    return numbers, counted


def class_members(classes: Array) -> Array:
    xp = array_module(classes)
    if len(classes) > MOST_ROWS:  # here it waits
        return (classes[:, None] == xp.unique(classes)).astype(np.float64)
    alike = classes[:, None] == classes
    alike &= alike.argmax(axis=0) == xp.arange(len(classes))  # the column of the first row of each class
    return alike.astype(np.float64)


def tally(numbers: Array, size: int, counted: Array | None = None) -> Array:
    xp = array_module(numbers)
    found = xp.empty(size, np.int64)
    numbers, counted = xp.ascontiguousarray(numbers), None if counted is None else xp.ascontiguousarray(counted)
    launch_rows("tally", size, numbers, numbers.size, size, counted, found)
    return found


def scatter_add(target: Array, index: Array, values: Array) -> None:
    if target.size * index.size > MOST_STEPS or not target.flags.c_contiguous or target.dtype.kind != "f":
        import cupyx

        cupyx.scatter_add(target, index, values)  # atomically, in any order
        return
    xp, rows = array_module(target), len(target)
    launch("add_rows", target.size, target, rows, target.size // max(1, rows), xp.ascontiguousarray(index, np.int64),
           xp.ascontiguousarray(values, target.dtype), index.size)
