"""Shapes: drawn images of coloured forms on a dark, noisy ground, with their boxes and masks; for nets that detect or
segment objects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blobnet.backend.random_streams import random_stream
from blobnet.errors import DataError

CLASSES = ("disc", "rectangle", "triangle")  # the labels 1, 2, 3; 0 is left for the background
MOST_SHAPES = 3     # in one image
SMALLEST = 32       # pixels of a side of an image
TRIES = 20          # places that are tried before a shape is given up


class Box(NamedTuple):
    """The box of a shape: its pixels are those of rows ymin, …, ymax - 1 and columns xmin, …, xmax - 1."""

    label: int
    xmin: int
    ymin: int
    xmax: int
    ymax: int


def draw_shapes(count: int, size: int, seed: int) -> tuple[np.ndarray, list[list[Box]]]:
    """Images (count, size, size, 3) of uint8, red first, and the boxes of each, 1 to 3 that do not meet.

    The sides of a shape are between a fifth and a half of `size`; every shape touches the four sides of its box. Class
    and colour have nothing to do with each other. Image n depends on size, seed and n alone. DataError for a size below
    32, and for a count or a seed below 0.
    """
    images, _, boxes = draw_all(count, size, seed)
    return images, boxes


def draw_masks(count: int, size: int, seed: int) -> np.ndarray:
    """What the pixels of the images of `draw_shapes` show, (count, size, size) of uint8: a label, 0 for the ground."""
    return draw_all(count, size, seed)[1]


def draw_all(count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[list[Box]]]:
    """Images, masks and boxes."""
    if size < SMALLEST or min(count, seed) < 0:
        raise DataError("drawn shapes", expected=f"size of at least {SMALLEST}, count and seed of at least 0",
                        got=(size, count, seed))
    images, masks, boxes = np.empty((count, size, size, 3), np.uint8), np.zeros((count, size, size), np.uint8), []
    for n, (image, mask) in enumerate(zip(images, masks)):
        rng = random_stream(seed, n)
        image[...] = rng.integers(0, 40, (size, size, 3)) + rng.integers(0, 60, 3)
        found: list[Box] = []
        for label in rng.integers(1, len(CLASSES) + 1, rng.integers(1, MOST_SHAPES + 1)).tolist():
            box = _place(label, size, found, rng)
            if box is not None:
                found.append(box)
                inside = slice(box.ymin, box.ymax), slice(box.xmin, box.xmax)
                form = _form(label, box.ymax - box.ymin, box.xmax - box.xmin)
                image[inside][form], mask[inside][form] = _colour(rng), label
        boxes.append(found)
    return images, masks, boxes


def _place(label: int, size: int, others: list[Box], rng: np.random.Generator) -> Box | None:
    """A box in the image, one pixel or more away from `others`; None if none was found. The first try always fits."""
    for _ in range(TRIES):
        width, height = rng.integers(-(-size // 5), size // 2 + 1, 2).tolist()
        x, y = int(rng.integers(0, size - width + 1)), int(rng.integers(0, size - height + 1))
        if all(x > box.xmax or x + width < box.xmin or y > box.ymax or y + height < box.ymin for box in others):
            return Box(label, x, y, x + width, y + height)
    return None


def _form(label: int, height: int, width: int) -> np.ndarray:
    """(height, width): which pixels of its box belong to a shape."""
    y, x = np.arange(height)[:, None], np.arange(width)
    across, down = 2 * x + 1 - width, 2 * y + 1 - height  # twice the way from the middle
    if CLASSES[label - 1] == "disc":  # a little more than the ellipse, so that it touches all four sides
        return (across * height) ** 2 + (down * width) ** 2 <= (height * width) ** 2 + height ** 2 + width ** 2
    if CLASSES[label - 1] == "triangle":
        return abs(across) * height <= np.maximum((y + 1) * width, height)
    return np.ones((height, width), bool)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """Red, green and blue, one of them at least much brighter than any ground."""
    colour = rng.integers(0, 256, 3)
    colour[rng.integers(0, 3)] = rng.integers(190, 256)
    return colour
