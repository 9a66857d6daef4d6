"""The sample of boxes that a detector learns from: Girshick, Fast R-CNN, ICCV 2015, section 2.3."""

from types import SimpleNamespace

import numpy as np

from fast_rcnn.boxes import offsets, overlaps


def sample_boxes(boxes: np.ndarray, truth: np.ndarray, count: int, settings: SimpleNamespace,
                 rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(numbers, labels, t): which of `boxes` (B, 4) are drawn, first those with objects; their labels, 0 for
    background; and the offsets (N, 4) to the true boxes that they overlap most.

    truth (G, 5): true boxes and their labels. No more than `count` are drawn, of them FG_FRACTION with objects if there
    are as many, the others background.
    """
    shares = overlaps(boxes, truth[:, :4])
    most = shares.max(axis=1, initial=0)
    wanted = int(np.round(settings.FG_FRACTION * count))
    objects = draw(np.flatnonzero(most >= settings.FG_THRESH), wanted, rng)
    background = np.flatnonzero((most < settings.BG_THRESH_HI) & (most >= settings.BG_THRESH_LO))
    numbers = np.append(objects, draw(background, count - len(objects), rng))
    if not len(truth):
        return numbers, np.zeros(len(numbers)), np.zeros((len(numbers), 4))
    goals = truth[shares[numbers].argmax(axis=1)]
    labels = np.where(np.arange(len(numbers)) < len(objects), goals[:, 4], 0)
    t = offsets(boxes[numbers], goals[:, :4])
    if settings.BBOX_NORMALIZE_TARGETS:
        t = (t - settings.BBOX_NORMALIZE_MEANS) / settings.BBOX_NORMALIZE_STDS
    return numbers, labels, t


def draw(numbers: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """`most` of the numbers at random; all, in their order, if there are no more."""
    return numbers if len(numbers) <= most else rng.choice(numbers, max(most, 0), replace=False)


def by_class(labels: np.ndarray, t: np.ndarray, classes: int, weights: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The offsets t (N, 4) in the columns of the box's class, (N, 4 classes), and the weights in the same places.

    Background has offsets and weights of 0.
    """
    targets, inside = np.zeros((2, len(labels), classes, 4))
    rows = np.flatnonzero(labels > 0)
    targets[rows, labels[rows].astype(int)] = t[rows]
    inside[rows, labels[rows].astype(int)] = weights
    return targets.reshape(len(labels), -1), inside.reshape(len(labels), -1)
