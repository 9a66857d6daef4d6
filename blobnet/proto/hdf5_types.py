"""Shapes, types of numbers and fill values in the object headers of HDF5 files."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from blobnet.proto.hdf5_bytes import UNDEFINED, Cursor
from blobnet.proto.wire import Corrupt

CLASSES = ("integers", "floats", "times", "strings", "bit fields", "opaque bytes", "compounds", "references",
           "enumerations", "values of any length", "arrays", "complex numbers")
IEEE = {2: (15, 10, 5, 0, 10, 15), 4: (31, 23, 8, 0, 23, 127), 8: (63, 52, 11, 0, 52, 1023)}
MOST_AXES = 32


class Shape(NamedTuple):
    """The axes, and how long they may become (None: without end)."""

    dims: tuple[int, ...]
    most: tuple[int | None, ...]


def read_shape(message: Cursor) -> Shape:
    """The dataspace in `message`."""
    version = message.expect("a dataspace of version", 1, 2)
    axes, flags = message.number(1), message.number(1)
    kind = message.number(1)
    if version == 1:
        message.skip(4)
    elif kind == 2:  # no values at all
        return Shape((0,), (0,))
    if axes > MOST_AXES:
        raise Corrupt(message.origin, f"{axes} axes")
    dims = message.numbers(axes)
    most = message.numbers(axes) if flags & 1 else dims
    if any(dim > top for dim, top in zip(dims, most)):
        raise Corrupt(message.origin, f"shape {dims}, which may have at most {most}")
    return Shape(dims, tuple(None if top == UNDEFINED else top for top in most))


def read_type(message: Cursor) -> np.dtype | str:
    """The type in `message`: that of integers, floats and texts of a fixed length, or how the others are called."""
    first = message.number(1)
    kind, version = first & 15, first >> 4
    bits, size = message.number(3), message.number(4)
    if not 1 <= version <= 5 or kind >= len(CLASSES) or not size:
        raise Corrupt(message.origin, f"a type of version {version}, class {kind}, {size} bytes")
    order = "><"[not bits & 1]
    if kind == 0 and size in (1, 2, 4, 8) and message.numbers(2, 2) == (0, 8 * size):
        return np.dtype(f"{order}{'ui'[bits >> 3 & 1]}{size}")
    if kind == 1 and size in IEEE and not bits & 64:
        layout = struct.unpack("<HHBBBBI", message.take(12))
        if layout[:2] == (0, 8 * size) and (bits >> 8 & 255, *layout[2:]) == IEEE[size] and bits >> 4 & 3 == 2:
            return np.dtype(f"{order}f{size}")
    if kind == 3:
        return np.dtype(f"S{size}") if size < 1 << 31 else CLASSES[kind]
    return f"{CLASSES[kind]} of {size} bytes"


def read_fill(message: Cursor | None, older: Cursor | None, dtype: np.dtype) -> np.ndarray | int:
    """The value of the numbers that are not in the file: 0 unless one is defined."""
    value = b""
    if message is not None:
        version = message.expect("a fill value of version", 1, 2, 3)
        if version == 3:
            defined = message.number(1) & 32
        else:
            message.skip(2)
            defined = message.number(1) if message.left else 0
        if defined or version == 1:
            value = message.take(message.number(4))
    elif older is not None:
        value = older.take(older.number(4))
    return np.frombuffer(value, dtype)[0] if value and len(value) == dtype.itemsize else 0
