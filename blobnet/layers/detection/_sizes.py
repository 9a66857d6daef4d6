"""Boxes in the pixels of images whose sizes a list tells."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import DataError
from blobnet.ops.boxes import areas
from blobnet.proto.storage import require_file

MOST_CLASSES = 1 << 20  # each has a row of the result


def read_sizes(path: str) -> list[tuple[int, int]]:
    """Height and width of every image of a list with "name height width" a line."""
    sizes = []
    for number, line in enumerate(require_file(path).read_text("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if words:
            if len(words) != 3 or not words[1].isdecimal() or not words[2].isdecimal():
                raise DataError(f"{path}:{number}", expected='"name height width"', got=repr(line))
            sizes.append((int(words[1]), int(words[2])))
    return sizes


def in_pixels(boxes: np.ndarray, size: tuple[int, int], resize: Message | None) -> tuple[np.ndarray, np.ndarray]:
    """`boxes` (B, 4), parts of a resized image, in the pixels of the original, which clips them; and their areas.

    A box of an image larger than 1 x 1 has one more pixel in width and height than its corners differ by.
    """
    height, width = size
    plus = int(height > 1 or width > 1)
    if resize is not None and resize.resize_mode == resize.FIT_LARGE_SIZE_AND_PAD:
        boxes = _without_padding(boxes, width / height, resize)
    if (resize is not None and resize.resize_mode == resize.FIT_SMALL_SIZE
            and resize.height_scale and resize.width_scale):
        scale, plus = np.array([resize.width_scale, resize.height_scale] * 2, boxes.dtype), 0  # as in Caffe
        boxes = np.clip(boxes * scale, 0, np.array([width, height] * 2, boxes.dtype))
    else:
        boxes = np.clip(boxes, 0, 1) * np.array([width, height] * 2, boxes.dtype)
    right = (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
    larger = np.concatenate([boxes[:, :2], boxes[:, 2:] + plus], axis=1)
    return boxes, np.where(right, areas(larger), 0)


def _without_padding(boxes: np.ndarray, aspect: float, resize: Message) -> np.ndarray:
    """Boxes in the image without the borders that fill it up; those that lie in a border stay as they are."""
    wide = aspect * resize.height / resize.width  # above 1: borders at the top and the bottom
    border = np.array([0, 1 - 1 / wide] if wide > 1 else [1 - wide, 0], boxes.dtype) / 2
    outside = ((boxes[:, :2] >= 1 - border) | (boxes[:, 2:] <= border)).any(axis=1, keepdims=True)
    inner = (boxes - np.tile(border, 2)) / np.tile(1 - 2 * border, 2)
    return np.where(outside, boxes, np.clip(inner, 0, 1))


def pixel_overlaps(a: np.ndarray, sizes: np.ndarray, b: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(A, B): intersection over union of boxes a (A, 4) and b (B, 4) with these areas, counted in pixels.

    Boxes that do not meet count as if they had one pixel in common, as in Caffe.
    """
    a, b = a[:, None], b[None]
    apart = ((b[..., :2] > a[..., 2:]) | (b[..., 2:] < a[..., :2])).any(axis=2, keepdims=True)
    sides = np.where(apart, 0, np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])) + 1
    common = np.where((sides > 0).all(axis=2), sides.prod(axis=2), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(common > 0, common / (sizes[:, None] + others[None] - common), 0)
