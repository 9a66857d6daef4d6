"""Objects in an image: what they are, and their boxes, which follow what is done to the image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WHOLE = np.array([0, 0, 1, 1], np.float32)  # the window that is the image


class Objects(NamedTuple):
    """B objects. Boxes are corners (x1, y1, x2, y2) as parts of the image's width and height, as are windows."""

    labels: np.ndarray     # (B,), whole numbers
    instances: np.ndarray  # (B,), whole numbers
    boxes: np.ndarray      # (B, 4), float32
    difficult: np.ndarray  # (B,), bool

    def moved(self, boxes: np.ndarray, kept: np.ndarray | slice = slice(None)) -> Objects:
        """Those that are `kept`, with `boxes` in the place of theirs."""
        return Objects(self.labels[kept], self.instances[kept], boxes[kept], self.difficult[kept])

    def mirrored(self) -> Objects:
        """Those of the image turned from left to right."""
        boxes = self.boxes.copy()
        boxes[:, [0, 2]] = 1 - self.boxes[:, [2, 0]]
        return self.moved(boxes)


def areas(boxes: np.ndarray) -> np.ndarray:
    """The areas of `boxes` (..., 4), 0 where the second corner lies before the first."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.where((sides < 0).any(axis=-1), 0, sides.prod(axis=-1))


@np.errstate(over="ignore", invalid="ignore")  # boxes of a stranger may be huge
def project(objects: Objects, window: np.ndarray) -> Objects:
    """The objects in `window` (4,), which may reach out of the image, with boxes as parts of it and clipped by it.

    Those that lie outside, or touch it with a side only, are left out.
    """
    boxes = objects.boxes
    outside = (boxes[:, :2] >= window[2:]).any(axis=1) | (boxes[:, 2:] <= window[:2]).any(axis=1)
    inside = np.clip((boxes - np.tile(window[:2], 2)) / np.tile(window[2:] - window[:2], 2), 0, 1)
    return objects.moved(inside, ~outside & (areas(inside) > 0))
