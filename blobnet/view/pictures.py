"""Arrays as pictures: feature maps and filters as tiles, in gray, in colour, or in blue and red around 0."""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, array_module
from blobnet.view.tiles import Sheet, is_coloured, sheet

NUMBERS = 60_000  # of a picture, at about a byte each
LARGEST = 640, 480, 12  # width and height on the screen, pixels of the screen for a number
GRAYS, GAP, WRONG = 254, 254, 255  # numbers of a palette: values, where there is none, one that is not finite
BLUE, WHITE, RED, MAGENTA = (33, 102, 172), (255, 255, 255), (178, 24, 43), (255, 0, 255)


class Extent(NamedTuple):
    """The smallest and the largest finite number of an array, 0 if it has none, and how many are not finite."""

    low: float
    high: float
    not_finite: int


class Picture(NamedTuple):
    """A PNG file; width and height on the screen, in pixels; what its colours mean, in which
    order its images are and what it leaves out, or ""."""

    png: bytes
    width: int
    height: int
    colours: str
    order: str
    left_out: str


def extent(array: Array) -> Extent:
    """The Extent of all numbers of `array`, taken on its device."""
    if not array.size:
        return Extent(0.0, 0.0, 0)
    xp = array_module(array)
    finite = xp.isfinite(array)
    wrong = array.size - int(finite.sum())
    if not wrong:
        return Extent(float(array.min()), float(array.max()), 0)
    if wrong == array.size:
        return Extent(0.0, 0.0, wrong)
    return Extent(float(xp.where(finite, array, np.inf).min()), float(xp.where(finite, array, -np.inf).max()), wrong)


def array_picture(array: Array, known: Extent, signed: bool = False, most: int = NUMBERS) -> Picture:
    """The picture of an `array` that has two axes longer than 1, of at most about `most` numbers, as `sheet` cuts them.

    known: its extent. The smallest number is black, the largest white, one scale for the whole array. `signed`, for
    gradients: blue below 0, white at 0, red above, as far on both sides. Where the shape is (N, 3, H, W) the channels
    are blue, green and red, Caffe's order, unless `signed`. A pixel of the file is a number.
    """
    coloured = is_coloured(array.shape) and not signed
    page = sheet(array, most, coloured)
    image = _in_colour(page, known) if coloured else _by_palette(page, known, signed)
    file = io.BytesIO()
    image.save(file, "PNG", **({} if coloured else {"transparency": GAP}))
    zoom = max(1, math.floor(min(LARGEST[0] / image.width, LARGEST[1] / image.height, LARGEST[2])))
    return Picture(file.getvalue(), image.width * zoom, image.height * zoom, _colours(known, signed, coloured),
                   page.order, page.left_out)


def _colours(known: Extent, signed: bool, coloured: bool) -> str:
    if signed:
        return f"blue below 0, red above, up to {max(-known.low, known.high):.4g}"
    return "channels as blue, green, red" if coloured else "black to white" if known.low < known.high else "gray"


def _shares(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where the values stand between `low` and `high`, 0 … 1; 0.5 if these are one number."""
    scale = max(abs(low), abs(high)) or 1.0  # their difference may be larger than a float can be
    low, high = low / scale, high / scale
    finite = np.where(np.isfinite(values), values, 0) / scale
    return np.clip((finite - low) / (high - low), 0, 1) if low < high else np.full(values.shape, 0.5)


def _by_palette(page: Sheet, known: Extent, signed: bool):
    """A PIL.Image.Image; Pillow is loaded when the first picture is made."""
    from PIL import Image

    largest = max(-known.low, known.high)
    low, high = (-largest, largest) if signed else (known.low, known.high)
    numbers = np.rint(_shares(page.values, low, high) * (GRAYS - 1)).astype(np.uint8)
    numbers[~np.isfinite(page.values)] = WRONG
    numbers[page.gaps] = GAP
    ends = (BLUE, WHITE, RED) if signed else ((0, 0, 0), WHITE)
    places = np.linspace(0, len(ends) - 1, GRAYS)
    palette = np.stack([np.interp(places, range(len(ends)), channel) for channel in zip(*ends)], axis=1)
    image = Image.fromarray(numbers)
    image.putpalette([*np.rint(palette).astype(np.uint8).ravel().tolist(), *WHITE, *MAGENTA])
    return image


def _in_colour(page: Sheet, known: Extent):
    from PIL import Image

    pixels = np.empty((*page.gaps.shape, 4), np.uint8)
    pixels[..., :3] = np.rint(_shares(page.values, known.low, known.high) * 255)[..., ::-1]
    pixels[~np.isfinite(page.values).all(axis=2), :3] = MAGENTA
    pixels[..., 3] = np.where(page.gaps, 0, 255)
    return Image.fromarray(pixels)
