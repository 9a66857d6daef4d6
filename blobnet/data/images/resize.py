"""Resizing of images, bit for bit as OpenCV, and so Caffe, does it: INTER_LINEAR, and INTER_NEAREST for labels."""

from __future__ import annotations

import numpy as np

from blobnet.errors import ShapeError

ONE = np.float32(2048)  # weights are whole numbers in units of 1 / 2048


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The uint8 image (C, H, W) resized to (C, height, width).

    The centre of pixel i is at i + 0.5. Beyond its edges the image goes on with its last pixels. It is not smoothed
    before it becomes smaller. If both sides are halved, a pixel is the rounded mean of four. ShapeError if the image
    has no pixel, or would have none.

    >>> resize(np.array([[[0, 100]]], np.uint8), 1, 4).tolist()
    [[[0, 25, 75, 100]]]
    """
    _require_pixels(image, height, width)
    if image.shape[1:] == (height, width):
        return image
    if image.shape[1:] == (2 * height, 2 * width):
        rows = image[:, ::2].astype(np.uint16) + image[:, 1::2]
        return (rows[:, :, ::2] + rows[:, :, 1::2] + 2 >> 2).astype(np.uint8)
    return bilinear(image, places(image.shape[2], width), places(image.shape[1], height))


def bilinear(image: np.ndarray, across: tuple[np.ndarray, np.ndarray], down: tuple[np.ndarray, np.ndarray]
             ) -> np.ndarray:
    """The uint8 image (C, H, W) at new places along both axes: the old pixel before each, and the distance from it."""
    left, fraction = across
    fraction = np.where((left < 0) | (left >= image.shape[2] - 1), np.float32(0), fraction)
    near, far = _weights(fraction)
    left, right = _pair(left, image.shape[2])
    across_image = image.take(left, 2) * near
    across_image += image.take(right, 2) * far
    across_image >>= 4
    top, fraction = down
    near, far = (weights[:, None] for weights in _weights(fraction))
    top, bottom = _pair(top, image.shape[1])
    above, below = across_image.take(top, 1), across_image.take(bottom, 1)
    for part, weight in ((above, near), (below, far)):
        part *= weight
        part >>= 16  # each by itself: the order of the shifts is part of the result
    above += below
    above += 2
    above >>= 2
    return above.astype(np.uint8)


def resize_nearest(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image (C, H, W) of any dtype resized to (C, height, width): pixel i is the old pixel at i * old / new.

    No value comes out that was not there, so label images are resized in this way. ShapeError as for `resize`.

    >>> resize_nearest(np.array([[[1, 9, 4]]], np.uint8), 1, 5).tolist()
    [[[1, 1, 9, 9, 4]]]
    """
    _require_pixels(image, height, width)
    if image.shape[1:] == (height, width):
        return image
    rows, columns = (np.minimum(np.floor(np.arange(new) * (1 / (new / old))).astype(int), old - 1)
                     for old, new in zip(image.shape[1:], (height, width)))
    return image.take(rows, 1).take(columns, 2)


def _require_pixels(image: np.ndarray, height: int, width: int) -> None:
    if min(*image.shape[1:], height, width) < 1:
        raise ShapeError("resize", expected="at least one pixel on both sides",
                         got=f"{image.shape[1:]} to {(height, width)}")


def places(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """For each new pixel the old one before it, which may lie outside, and the distance from there, in [0, 1)."""
    centres = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    before = np.floor(centres)
    return before.astype(int), centres - before


def _weights(fraction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.rint((1 - fraction) * ONE).astype(np.int32), np.rint(fraction * ONE).astype(np.int32)


def _pair(before: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    return before.clip(0, count - 1), (before + 1).clip(0, count - 1)
