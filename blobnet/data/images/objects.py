"""Objects in an image: what they are, and their boxes, which follow what is done to the image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

WHOLE = np.array([0, 0, 1, 1], np.float32)  # the window that is the image


class Objects(NamedTuple):
    """B objects. Boxes are corners (x1, y1, x2, y2) as parts of the image's width and height, as are windows."""

    labels: np.ndarray     # (B,), whole numbers
    instances: np.ndarray  # (B,), whole numbers
    boxes: np.ndarray      # (B, 4), float32
    difficult: np.ndarray  # (B,), bool

    def moved(self, boxes: np.ndarray, kept: np.ndarray | None = None) -> Objects:
        """Those that are `kept`, by default all, with `boxes` in the place of theirs."""
        if kept is None:
            return self._replace(boxes=boxes)
        return Objects(self.labels[kept], self.instances[kept], boxes, self.difficult[kept])

    def mirrored(self) -> Objects:
        """Those of the image turned from left to right."""
        boxes = self.boxes.copy()
        boxes[:, [0, 2]] = 1 - self.boxes[:, [2, 0]]
        return self.moved(boxes)


@np.errstate(over="ignore", invalid="ignore")  # boxes of a stranger may be huge
def areas(boxes: np.ndarray) -> np.ndarray:
    """The areas of `boxes` (..., 4), 0 where the second corner lies before the first."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.where((sides < 0).any(axis=-1), 0, sides.prod(axis=-1))


def common_areas(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The areas that `a` and `b`, arrays (..., 4) of boxes, have in common."""
    return areas(np.concatenate([np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])], axis=-1))


@np.errstate(over="ignore", invalid="ignore")
def project(objects: Objects, window: np.ndarray, emit: Message | None = None) -> Objects:
    """The objects in `window` (4,), which may reach out of the image, with boxes as parts of it and clipped by it.

    Those that lie outside, or touch it with a side only, are left out; so are those that the EmitConstraint `emit` does
    not let stay: whose centre lies outside, or of whose area no more than emit_overlap lies inside.
    """
    boxes = objects.boxes
    outside = (boxes[:, :2] >= window[2:]).any(axis=1) | (boxes[:, 2:] <= window[:2]).any(axis=1)
    inside = np.clip((boxes - np.tile(window[:2], 2)) / np.tile(window[2:] - window[:2], 2), 0, 1)
    kept = ~outside & (areas(inside) > 0)
    if emit is not None and emit.emit_type == emit.CENTER:
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        kept &= ((centres >= window[:2]) & (centres <= window[2:])).all(axis=1)
    elif emit is not None:
        kept &= _share(common_areas(boxes, window), areas(boxes)) > emit.emit_overlap
    return objects.moved(inside[kept], kept)


def satisfies(windows: np.ndarray, boxes: np.ndarray, constraint: Message) -> np.ndarray:
    """Which of `windows` (W, 4) have a box among `boxes` (B, 4) that fulfils the SampleConstraint: (W,), bool.

    Quirk, as in SSD: of several kinds of bounds only the first counts, in the order jaccard_overlap, sample_coverage,
    object_coverage. Without any all windows do.
    """
    kind = next((kind for kind in ("jaccard_overlap", "sample_coverage", "object_coverage")
                 if constraint.HasField(f"min_{kind}") or constraint.HasField(f"max_{kind}")), None)
    if kind is None:
        return np.ones(len(windows), bool)
    windows = windows[:, None]
    common = common_areas(windows, boxes)
    with np.errstate(over="ignore", invalid="ignore"):
        whole = {"jaccard_overlap": areas(windows) + areas(boxes) - common, "sample_coverage": areas(windows),
                 "object_coverage": areas(boxes)}[kind]
        shares = _share(common, whole)
    fits = np.ones(shares.shape, bool)
    if constraint.HasField(f"min_{kind}"):
        fits &= shares >= np.float32(getattr(constraint, f"min_{kind}"))
    if constraint.HasField(f"max_{kind}"):
        fits &= shares <= np.float32(getattr(constraint, f"max_{kind}"))
    return np.any(fits, axis=1)


def _share(common: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(common > 0, common / np.where(common > 0, whole, 1), 0)
