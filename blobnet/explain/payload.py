"""The arrays of a page: bytes, what JSON says of each, and how much of each has room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.explain.pictures import Picture, corner

ALIGNED = 8  # bytes


class Pack:
    """Arrays one behind the other in bytes, and what JSON says of each."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def floats(self, values: np.ndarray, most: int) -> dict[str, Any]:
        """An array as float32; of a larger one a corner of at most `most` numbers."""
        return self._add(corner(values, most).astype("<f4"), "f4") | {"full": list(values.shape)}

    def picture(self, picture: Picture, full: Sequence[int]) -> dict[str, Any]:
        """The picture of an array of the shape `full`."""
        return self._add(picture.numbers, "u1") | {"full": list(full), "low": picture.low, "high": picture.high}

    def _add(self, values: np.ndarray, kind: str) -> dict[str, Any]:
        raw = np.ascontiguousarray(values).tobytes()
        at = self._size
        self._parts += [raw, bytes(-len(raw) % ALIGNED)]
        self._size += len(raw) + -len(raw) % ALIGNED
        return {"at": at, "type": kind, "shape": list(values.shape)}

    @property
    def binary(self) -> bytes:
        """All arrays."""
        return b"".join(self._parts)


def finite(value: Any) -> Any:
    """The value with numbers that JSON cannot write as words: "nan", "inf", "-inf"."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def share(shapes: Sequence[Sequence[int]], budget: int) -> int:
    """How many numbers each of some arrays may keep, so that all together keep at most `budget`, as evenly as it goes.

    >>> share([(10,), (100,), (1000,)], 300)
    190
    """
    sizes, left = sorted(math.prod(shape) for shape in shapes), budget
    for number, size in enumerate(sizes):
        part = left // (len(sizes) - number)
        if size > part:
            return max(1, part)
        left -= size
    return sizes[-1] if sizes else 1
