"""Average precision of detections, as SSD and the PASCAL VOC challenge define it."""

from __future__ import annotations

import numpy as np

from blobnet.errors import DataError, close_matches


def average_precisions(rows: np.ndarray, version: str = "Integral") -> dict[int, float]:
    """The average precision of every class, from the rows (R, 5) that DetectionEvaluate gave for one batch or several.

    The rows of a batch begin with [-1, class, true boxes, -1, -1] for every class; the others are [image, class, score,
    tp, fp], and do not count if neither tp nor fp is 1. Their mean is the mAP.
    Source: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016, whose program counts a class without true boxes,
    or without detections, as 0.
    """
    counts, found = rows[rows[:, 0] == -1], rows[(rows[:, 0] != -1) & (rows[:, 3:] != 0).any(axis=1)]
    return {int(label): average_precision(found[found[:, 1] == label, 2], found[found[:, 1] == label, 3],
                                          counts[counts[:, 1] == label, 2].sum(), version)
            for label in np.unique(counts[:, 1])}


def average_precision(scores: np.ndarray, hits: np.ndarray, count: float, version: str = "Integral") -> float:
    """How well detections with `scores` (D,), of which `hits` (D,) are right (1, else 0), find `count` true boxes.

    With precision p_k and recall r_k of the k highest scores, of equal ones in their order:
    11point: mean over t = 0, 0.1 … 1 of the largest p_k with r_k >= t, or 0 (VOC 2007);
    MaxIntegral: sum of (r_k - r_{k-1}) times the largest of p_k, p_{k+1} … (VOC 2012);
    Integral: sum of (r_k - r_{k-1}) p_k.
    Recall has the precision of float32, as in the program of SSD. DataError for another version.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1]), 4)
    0.41666666666666663
    """
    if version not in VERSIONS:
        raise DataError("average precision", f"unknown version {version!r}", hint=close_matches(version, VERSIONS))
    if not len(scores) or not count:
        return 0.0
    right = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision, recall = right / np.arange(1, len(right) + 1), (right / count).astype(np.float32).astype(float)
    return float(VERSIONS[version](precision, recall))


def _eleven_points(precision: np.ndarray, recall: np.ndarray) -> float:
    return np.mean([precision[recall >= point / 10].max(initial=0) for point in range(11)])


def _integral(precision: np.ndarray, recall: np.ndarray) -> float:
    return np.diff(recall, prepend=0) @ precision


def _largest_integral(precision: np.ndarray, recall: np.ndarray) -> float:
    return _integral(np.maximum.accumulate(precision[::-1])[::-1], recall)


VERSIONS = {"11point": _eleven_points, "MaxIntegral": _largest_integral, "Integral": _integral}
