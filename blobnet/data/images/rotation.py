"""Rotation of images, bit for bit as OpenCV's warpAffine with NEAREST and LINEAR does it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

PLACE, PART = 10, 5  # bits of a place behind the point while it is added up, and then
MODES = {"MIRRORED": "reflect", "REPEAT_NEAREST": "edge"}


def rotated(image: np.ndarray, angle: float, interpolation: str = "LINEAR", border: str = "CONSTANT",
            values: ArrayLike = 0) -> np.ndarray:
    """The uint8 image (C, H, W) turned by `angle` degrees to the left around its middle, with the size that it has.

    interpolation: NEAREST, or LINEAR. Beyond the image it has `values`, one or one a channel (CONSTANT), its mirrored
    pixels (MIRRORED) or the last ones (REPEAT_NEAREST).

    >>> rotated(np.array([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], np.uint8), 90).tolist()
    [[[3, 6, 9], [2, 5, 8], [1, 4, 7]]]
    """
    height, width = image.shape[1:]
    x, y = _places(height, width, angle, PART if interpolation == "LINEAR" else 0)
    if interpolation != "LINEAR":
        return _pixels(image, x, y, border, values)
    right, down = (np.bitwise_and(place, (1 << PART) - 1).astype(np.int32) for place in (x, y))
    x, y = x >> PART, y >> PART
    out = np.zeros((len(image), height, width), np.int32)
    for dy, tall in ((0, (1 << PART) - down), (1, down)):
        for dx, wide in ((0, (1 << PART) - right), (1, right)):
            out += _pixels(image, x + dx, y + dy, border, values) * (tall * wide)
    return (out + (1 << 2 * PART - 1) >> 2 * PART).astype(np.uint8)


def _places(height: int, width: int, angle: float, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """From where the pixels come: columns and rows (H, W), whole numbers in units of 2^-bits."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    middle = np.array([width // 2, height // 2], float)
    turn = np.array([[cos, -sin], [sin, cos]])
    start, one, half = middle - turn @ middle, 1 << PLACE, 1 << PLACE - bits - 1
    columns, rows = np.arange(width), np.arange(height)[:, None]
    return tuple((np.rint((turn[k, 1] * rows + start[k]) * one).astype(np.int64) + half
                  + np.rint(turn[k, 0] * columns * one).astype(np.int64)) >> PLACE - bits for k in (0, 1))


def _pixels(image: np.ndarray, x: np.ndarray, y: np.ndarray, border: str, values: ArrayLike) -> np.ndarray:
    """(C, …): the pixels in the columns `x` and rows `y`, which may lie outside."""
    height, width = image.shape[1:]
    if border in MODES:
        x, y = _inside(x, width, border == "MIRRORED"), _inside(y, height, border == "MIRRORED")
        return image[:, y, x]
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    pixels = image[:, y.clip(0, height - 1), x.clip(0, width - 1)]
    return np.where(outside, np.rint(values).astype(np.uint8).reshape(-1, 1, 1), pixels)


def _inside(places: np.ndarray, count: int, mirrored: bool) -> np.ndarray:
    if not mirrored or count == 1:
        return places.clip(0, count - 1)
    places = places % (2 * count - 2)
    return np.minimum(places, 2 * count - 2 - places)
