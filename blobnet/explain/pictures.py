"""Arrays made small, for pictures: bytes instead of numbers, and counts of numbers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

BINS = 32


class Picture(NamedTuple):
    """numbers: uint8, a corner of the array; a byte u stands for low + u / 255 * (high - low), as float64."""

    numbers: np.ndarray
    low: float
    high: float


class Histogram(NamedTuple):
    """counts: how many numbers are in each of 32 bins of one width between low and high; high is in the last."""

    low: float
    high: float
    counts: np.ndarray


def corner(array: np.ndarray, most: int) -> np.ndarray:
    """The first images, then of one image the first channels, and so on, so that at most `most` numbers stay, but one
    at least: the array without the ends of its axes."""
    for axis in range(array.ndim):
        rest = math.prod(array.shape[axis + 1:])
        array = array[(slice(None),) * axis + (slice(max(1, most // max(rest, 1))),)]
        if array.size <= most:
            break
    return array


def picture(array: np.ndarray, most: int) -> Picture:
    """The corner of `array` with at most `most` numbers, as bytes.

    low and high are the smallest and the largest finite number of the corner, 0 if there is none. Infinities count as
    these, and nan as low.
    """
    kept = np.asarray(corner(np.asarray(array), most), np.float64)
    low, high = _range(kept)
    if low == high:
        return Picture((kept == math.inf).astype(np.uint8) * np.uint8(255), low, high)
    finite = np.clip(np.where(np.isnan(kept), low, kept), low, high)
    shares = (finite / 2 - low / 2) / (high / 2 - low / 2)  # halves, since the difference of the whole may overflow
    return Picture(np.rint(255 * shares).astype(np.uint8), low, high)


def histogram(array: np.ndarray) -> Histogram:
    """How the finite numbers of `array` are spread. Where all are equal, low and high are too, and the first bin has
    all of them."""
    values = np.asarray(array, np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    low, high = _range(values)
    if low == high:
        return Histogram(low, high, np.array([values.size] + [0] * (BINS - 1)))
    shares = (values / 2 - low / 2) / (high / 2 - low / 2)
    places = np.minimum((shares * BINS).astype(int), BINS - 1)
    return Histogram(low, high, np.bincount(places, minlength=BINS))


def histogram_row(array: np.ndarray) -> dict[str, Any]:
    """The histogram of an array as JSON."""
    low, high, counts = histogram(array)
    return {"low": low, "high": high, "counts": counts.tolist()}


def _range(array: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest finite number; 0 and 0 for none."""
    finite = array[np.isfinite(array)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
