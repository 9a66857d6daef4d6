"""Objects that a detector finds: its outputs as boxes, and how good these are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.ops.boxes import decode, hits, overlaps, suppress
from blobnet.solvers.average_precision import average_precision

OVERLAP = 0.5  # from which a detection hits a true box


def regions_found(regions: np.ndarray, probabilities: np.ndarray, offsets: np.ndarray, deviations: Sequence[float],
                  size: tuple[int, int], least: float = 0.05, overlap: float = 0.3) -> np.ndarray:
    """(D, 6) of [class, probability, x1, y1, x2, y2]: what Fast R-CNN finds in an image of `size` (height, width).

    regions (R, 4) of [x1, y1, x2, y2]; probabilities (R, C), background first; offsets (R, 4 C) as they were trained,
    divided by `deviations`. Of every class, boxes of at least the probability `least` that overlap none of its better
    boxes by more than `overlap`; a box begins at x1 and ends at x2.
    """
    found = [np.zeros((0, 6))]
    for k in range(1, probabilities.shape[1]):
        likely = np.flatnonzero(probabilities[:, k] >= least)
        boxes = decode(offsets[likely, 4 * k:4 * k + 4], regions[likely], np.array(deviations), "CENTER_SIZE")
        boxes = np.clip(boxes, 0, np.array(size[::-1] * 2))
        scores = probabilities[likely, k]
        kept = suppress(boxes, scores, overlap)
        found.append(np.column_stack([np.full(len(kept), k), scores[kept], boxes[kept]]))
    return np.concatenate(found)


def class_precision(found: Sequence[np.ndarray], truth: Sequence[np.ndarray], label: int) -> float:
    """The average precision of a class by the rule of PASCAL VOC 2007, from the detections (D, 6), see `regions_found`,
    and the true boxes (G, 5) of [label, x1, y1, x2, y2] of every image."""
    scores, right, count = [np.zeros(0)], [np.zeros(0)], 0
    for rows, goals in zip(found, truth, strict=True):
        own, goals = rows[rows[:, 0] == label], goals[goals[:, 0] == label]
        own = own[np.argsort(-own[:, 1], kind="stable")]
        right.append(hits(overlaps(own[:, 2:], goals[:, 1:]), OVERLAP, np.ones(len(goals), bool))[:, 0])
        scores.append(own[:, 1])
        count += len(goals)
    return average_precision(np.concatenate(scores), np.concatenate(right), count, "11point")
