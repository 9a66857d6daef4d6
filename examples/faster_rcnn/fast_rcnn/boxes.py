"""Boxes [x1, y1, x2, y2], with (x1, y1) the first pixel and (x2, y2) the last: a side is x2 - x1 + 1 long."""

import numpy as np

from blobnet.ops import boxes as edges_of


def edges(boxes: np.ndarray) -> np.ndarray:
    """The boxes (..., 4) by the places where they begin and end."""
    return np.asarray(boxes, np.float64) + (0, 0, 1, 1)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B): intersection over union of the boxes a (A, 4) and b (B, 4)."""
    return edges_of.overlaps(edges(a), edges(b))


def offsets(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """t (B, 4): how to come from `boxes` to `truth`; Fast R-CNN, appendix C of R-CNN.

    t_x = (X - x) / w, t_y = (Y - y) / h of the middles; t_w = log(W / w), t_h = log(H / h) of the sides
    """
    return edges_of.encode(edges(truth), edges(boxes), np.ones(4), "CENTER_SIZE")


def shifted(boxes: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The boxes (B, 4) that lie at the offsets t from `boxes`.

    As in the published program x2 and y2 are those of the end, 1 more than `offsets` would make of the box again.
    """
    return edges_of.decode(t, edges(boxes), np.ones(4), "CENTER_SIZE")


def clipped(boxes: np.ndarray, height: float, width: float) -> np.ndarray:
    """The boxes (B, 4) without what lies outside of the image."""
    return np.maximum(np.minimum(boxes, np.array([width, height] * 2) - 1), 0)


def best_apart(boxes: np.ndarray, scores: np.ndarray, threshold: float, first: int = 0, most: int = 0) -> np.ndarray:
    """The numbers of the boxes that non-maximum suppression keeps, by falling score, `most` at most.

    A box is dropped if it overlaps one that was kept by more than `threshold`; only the `first` best are looked at. Of
    equal scores the first comes first. 0 and less means all.
    """
    kept = edges_of.suppress(edges(boxes), scores, threshold, top=first if first > 0 else -1)
    return kept[:most] if most > 0 else kept
