"""What the layers of YOLO share: boxes [x, y, w, h] around their middles, from anchors, and true boxes from labels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from blobnet.errors import DataError, NetError
from blobnet.ops.boxes import overlaps
from blobnet.ops.softmax import sigmoid, softmax

SSD_ROW, LIST_ROW = 8, 5  # numbers of a true box in the two forms of labels


class Truth(NamedTuple):
    """True boxes: the image of each (G,), its label (G,) from 0 on, and its box (G, 4), whose sides are above 0."""

    image: np.ndarray
    label: np.ndarray
    box: np.ndarray


def anchors_of(options, count: int, where: str) -> np.ndarray:
    """(count, 2): width and height of the anchors, in cells; NetError unless there are `count`, and above 0."""
    sizes = np.array(options.biases, float)
    if count < 1 or sizes.size != 2 * count or not (np.isfinite(sizes) & (sizes > 0)).all():
        raise NetError(where, expected=f"biases above 0, width and height of each of {count} anchors",
                       got=sizes.tolist()[:20], hint="their number is num, or num_object")
    return sizes.reshape(count, 2)


def masked(mask, count: int, anchors: int, where: str) -> np.ndarray:
    """(count,): the numbers of a mask; NetError unless there are `count`, each one of as many anchors, and no two."""
    numbers = list(mask)
    if count < 1 or len(numbers) != count or len(set(numbers)) != count or max(numbers) >= anchors:
        raise NetError(where, expected=f"mask, {count} different numbers below {anchors}, which biases have",
                       got=numbers[:20])
    return np.array(numbers)


def by_anchor(x: np.ndarray, count: int) -> np.ndarray:
    """A copy (N, H, W, count, C) of predictions (N, count * C, H, W)."""
    images, channels, height, width = x.shape
    return x.reshape(images, count, channels // count, height, width).transpose(0, 3, 4, 1, 2).copy()


def region_boxes(x: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """(N, H, W, A, 4): the boxes of the predictions x (N, H, W, A, 4 + …), in parts of the image.

    x = (column + s(t_x)) / W, y = (row + s(t_y)) / H, w = w_a e^t_w / W, h = h_a e^t_h / H; s(t) = 1 / (1 + e^-t)
    """
    height, width = x.shape[1:3]
    boxes = np.empty((*x.shape[:4], 4), x.dtype)
    sigmoid(x[..., :2], boxes[..., :2])
    boxes[..., 0] += np.arange(width)[:, None]
    boxes[..., 1] += np.arange(height)[:, None, None]
    with np.errstate(over="ignore"):  # as the overlaps of infinite boxes, which are 0
        boxes[..., 2:] = np.exp(x[..., 2:4]) * anchors
    boxes /= np.array([width, height] * 2)
    return boxes


def probabilities(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Objectness s(x_4), (...), and the softmax of x_5 and those after it, (..., C), of predictions x (..., 5 + C)."""
    o, p = np.empty(x.shape[:-1], x.dtype), np.empty((*x.shape[:-1], x.shape[-1] - 5), x.dtype)
    sigmoid(x[..., 4], o)
    with np.errstate(invalid="ignore"):  # infinite scores, of a net that diverges
        softmax(x[..., 5:].reshape(-1, p.shape[-1], 1), p.reshape(-1, p.shape[-1], 1))
    return o, p


def corners(boxes: np.ndarray) -> np.ndarray:
    """The boxes (..., 4) as [x1, y1, x2, y2]."""
    with np.errstate(invalid="ignore"):
        return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], axis=-1)


def is_ssd(shape: tuple[int, ...]) -> bool:
    """Whether labels of this shape are rows of all true boxes of a batch, as AnnotatedData gives them: (1, 1, G, 8)."""
    return len(shape) == 4 and shape[:2] == (1, 1) and shape[3] == SSD_ROW


def below(limit: float) -> np.float32:
    """The number before `limit`, so that an overlap of `limit` itself is too much."""
    return np.nextafter(np.float32(limit), np.float32(0))


def true_boxes(labels: np.ndarray, images: int, classes: int, where: str) -> Truth:
    """The true boxes of a batch, but for those without an area.

    labels: (1, 1, G, 8), rows [image or -1, label + 1, -, x1, y1, x2, y2, -]; or 5 numbers a box, [label, x, y, w, h],
    for every image, up to a box with w = 0. DataError for labels and images that are none, and for boxes whose middle
    is not in the image.
    """
    if is_ssd(labels.shape):
        rows = labels.reshape(-1, SSD_ROW)
        rows = rows[np.trunc(rows[:, 0]) != -1]
        image, label, ends = rows[:, 0], rows[:, 1] - 1, rows[:, 3:7]
        box = np.concatenate([(ends[:, :2] + ends[:, 2:]) / 2, ends[:, 2:] - ends[:, :2]], axis=1)
    else:
        lists = labels.reshape(images, math.prod(labels.shape[1:]) // LIST_ROW, LIST_ROW)
        image, number = np.nonzero(np.cumprod(lists[..., 3] != 0, axis=1))
        label, box = lists[image, number, 0], lists[image, number, 1:]
    with np.errstate(invalid="ignore"):
        wrong = ((image < 0) | (image >= images) | (label % 1 != 0) | (label < 0) | (label >= classes)
                 | ~np.isfinite(box).all(axis=1) | (box[:, :2] < 0).any(axis=1) | (box[:, :2] >= 1).any(axis=1))
    if wrong.any():
        k = wrong.argmax()
        raise DataError(where, expected=f"true boxes with their middle in one of {images} images, in parts of its "
                        f"sides, and one of {classes} classes", got=f"image {image[k]:g}, label {label[k]:g}, x y w h "
                        + " ".join(f"{v:g}" for v in box[k]))
    area = (box[:, 2:] > 0).all(axis=1)
    return Truth(image[area].astype(int), label[area].astype(int), box[area])


def largest_overlaps(boxes: np.ndarray, truth: Truth) -> np.ndarray:
    """(N, H, W, A): the largest overlap of each of the boxes (N, H, W, A, 4) with a true box of its image, or 0."""
    found = np.zeros(boxes.shape[:-1], boxes.dtype)
    for n in np.unique(truth.image):
        shares = overlaps(corners(boxes[n]).reshape(-1, 4), corners(truth.box[truth.image == n]))
        found[n] = shares.max(axis=1).reshape(found.shape[1:])
    return found


def size_overlaps(sizes: np.ndarray, truth: Truth) -> np.ndarray:
    """(G, A): the overlaps of true boxes and boxes of the sizes (G, A, 2) or (A, 2), if all had the same middle."""
    common = np.minimum(sizes, truth.box[:, None, 2:]).prod(axis=2)
    return np.nan_to_num(common / (sizes.prod(axis=-1) + truth.box[:, 2:].prod(axis=1)[:, None] - common))


def cells_of(truth: Truth, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row and the column (G,) of the cell where the middle of each true box lies; sides: their numbers, W and H."""
    column, row = np.minimum((truth.box[:, :2] * sides).astype(int), sides - 1).T
    return row, column


def overlap_slopes(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G,): intersection over union of each box of a (G, 4) with that of b; (G, 4): its derivative by a."""
    ends, others = corners(a), corners(b)
    low, high = np.maximum(ends[:, :2], others[:, :2]), np.minimum(ends[:, 2:], others[:, 2:])
    sides = np.maximum(high - low, 0)
    common, areas = sides.prod(axis=1), (a[:, 2:].prod(axis=1), b[:, 2:].prod(axis=1))
    union = areas[0] + areas[1] - common
    by_low, by_high = ends[:, :2] > others[:, :2], ends[:, 2:] < others[:, 2:]
    by = np.concatenate([by_high.astype(a.dtype) - by_low, (by_high.astype(a.dtype) + by_low) / 2], axis=1)
    by *= np.tile(sides[:, ::-1], 2) * (common > 0)[:, None]
    slopes = by * (union + common)[:, None]
    slopes[:, 2:] -= common[:, None] * a[:, :1:-1]
    return common / union, slopes / (union ** 2)[:, None]
