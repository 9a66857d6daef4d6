"""Which of many boxes stay, if those that overlap with a better one are dropped."""

from __future__ import annotations

import numpy as np


def apart(boxes: np.ndarray, threshold: float, most: int) -> list[int]:
    """The numbers of the boxes (M, 4) of [x1, y1, x2, y2] that stay, best first as they come, up to `most` of them.

    A box stays if its IoU with none that stayed before is above the threshold; its sides are x2 - x1 + 1 long.
    """
    areas, left = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1), np.arange(len(boxes))
    kept: list[int] = []
    while len(left) and len(kept) < most:
        box, left = left[0], left[1:]
        kept.append(int(box))
        sides = np.minimum(boxes[left, 2:], boxes[box, 2:]) - np.maximum(boxes[left, :2], boxes[box, :2])
        both = (sides + 1).prod(1) * (sides >= 0).all(1)
        left = left[~(both / (areas[left] + areas[box] - both) > threshold)]
    return kept
