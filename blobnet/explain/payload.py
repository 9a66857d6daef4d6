"""The data of a page: JSON and, behind it, the numbers of arrays; and how much of each array has room."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 32   # of a histogram
ALIGNED = 8  # bytes


class Pack:
    """Arrays one behind the other in bytes, and what JSON says of each."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def floats(self, values: np.ndarray, kept: Sequence[int] | None = None) -> dict[str, Any]:
        """An array as float32; of a larger one the corner `kept`."""
        corner = values[tuple(map(slice, kept))] if kept is not None else values
        return self._add(corner.astype("<f4"), "f4") | {"full": list(values.shape)}

    def bytes_of(self, values: np.ndarray, low: float, high: float, full: Sequence[int]) -> dict[str, Any]:
        """An array of uint8 that stands for numbers from low to high; `full` is the shape that it was cut from."""
        return self._add(values, "u1") | {"full": list(full), "low": low, "high": high}

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


def packed(header: dict[str, Any], binary: bytes) -> bytes:
    """The payload of a page: the length of the JSON text as 4 bytes, the text, padding, the arrays; compressed."""
    text = json.dumps(finite(header), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    start = len(text).to_bytes(4, "little") + text
    return gzip.compress(start + bytes(-len(start) % ALIGNED) + binary, 6, mtime=0)


def finite(value: Any) -> Any:
    """The value with numbers that JSON cannot write as words: "nan", "inf", "-inf"."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def corner(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """The largest corner of an array of `shape` with at most `most` numbers, cut along the first axes.

    >>> corner((4, 20, 24, 24), 30000), corner((4, 20, 24, 24), 6000)
    ((2, 20, 24, 24), (1, 10, 24, 24))
    """
    kept = list(shape)
    for axis in range(len(kept)):
        rest = math.prod(kept[axis + 1:])
        if math.prod(kept) > most:
            kept[axis] = max(1, min(kept[axis], most // max(rest, 1)))
    return tuple(kept)


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


def histogram(values: np.ndarray) -> dict[str, Any]:
    """Counts of the finite numbers in 32 bins from the least to the largest."""
    numbers = values[np.isfinite(values)]
    if not numbers.size:
        return {"low": 0.0, "high": 0.0, "counts": [0] * BINS}
    low, high = float(numbers.min()), float(numbers.max())
    counts, _ = np.histogram(numbers, BINS, (low, high if high > low else low + 1))
    return {"low": low, "high": high, "counts": counts.tolist()}


def root_mean_square(values: np.ndarray) -> float:
    """0 for no numbers."""
    return float(np.sqrt(np.square(values, dtype=float).mean())) if values.size else 0.0
