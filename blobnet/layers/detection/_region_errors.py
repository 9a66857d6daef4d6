"""The errors of YOLOv2's predictions, and the derivative of the sum of their squares."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.layers.detection._regions import (
    Truth,
    cells_of,
    largest_overlaps,
    overlap_slopes,
    probabilities,
    region_boxes,
    size_overlaps,
)

SCORES = slice(5, None)


class RegionErrors:
    """`d` (N, H, W, A, 5 + C), as the page of RegionLoss has it, of predictions x of that shape.

    `as_ssd`: by the rules of Intel's fork. Places of x are pairs of an index of anchors and the number of a value.
    """

    def __init__(self, x: np.ndarray, truth: Truth, anchors: np.ndarray, options: Message, as_ssd: bool):
        self.x, self.anchors, self.options, self.as_ssd = x, anchors, options, as_ssd
        self.rescored = bool(options.rescore) and not as_ssd
        self.boxes, (self.o, self.p) = region_boxes(x, anchors), probabilities(x)
        self.d, self.slopes = np.zeros((2, *x.shape), x.dtype)  # slopes: of each d by the same number of x
        with np.errstate(over="ignore", invalid="ignore"):  # a net that diverges has infinite boxes
            self._learn_background(truth)
            self.places, kept = self._match(truth)
            self._learn_boxes(truth.box[kept])
            self._learn_objects(truth.box[kept])
            wanted = np.arange(self.p.shape[-1]) == truth.label[kept][:, None]
            self.d[(*self.places, SCORES)] = options.class_scale * (self.p[self.places] - wanted)

    def derivative(self) -> np.ndarray:
        """The derivative of the sum of d^2 by x."""
        at, d = self.places, self.d
        result = 2 * d * self.slopes
        own = d[(*at, SCORES)]
        by_p = own - (own * self.p[at]).sum(axis=1, keepdims=True)
        result[(*at, SCORES)] = 2 * self.options.class_scale * self.p[at] * by_p
        if self.rescored:
            o, box = self.o[at], self.boxes[at]
            inside = self._inside(box)
            by_t = np.concatenate([inside * (1 - inside) / self._sides(), box[:, 2:]], axis=1)
            by_overlap = -2 * self.options.object_scale * d[(*at, 4)] * o * (1 - o)
            result[(*at, slice(0, 4))] += by_overlap[:, None] * self.overlap_slopes * by_t
        return result

    def _sides(self) -> np.ndarray:
        return np.array(self.x.shape[2:0:-1])

    def _inside(self, boxes: np.ndarray) -> np.ndarray:
        """How far the middles of boxes at `places` are from the corners of their cells, in cells."""
        return boxes[:, :2] * self._sides() - np.stack(self.places[2:0:-1], axis=1)

    def _squash(self, at: tuple, s: np.ndarray, goal: np.ndarray | float, scale: np.ndarray | float) -> None:
        """Errors of s = s(t), t at places of x, that is to become `goal`."""
        slope = s * (1 - s)
        self.d[at] = scale * (s - goal) * slope
        self.slopes[at] = scale * slope * (slope + (s - goal) * (1 - 2 * s))

    def _learn_background(self, truth: Truth) -> None:
        near = largest_overlaps(self.boxes, truth) > self.options.thresh
        self._squash((*np.nonzero(~near), 4), self.o[~near], 0, self.options.noobject_scale)

    def _match(self, truth: Truth) -> tuple[tuple, np.ndarray]:
        """The anchor that each true box belongs to, as an index, and the numbers of these boxes: the last of each."""
        sides = self._sides()
        row, column = cells_of(truth, sides)
        sizes = self.anchors / sides if self.options.bias_match else self.boxes[truth.image, row, column, :, 2:]
        anchor = np.argmax(size_overlaps(sizes, truth), axis=1)
        flat = np.ravel_multi_index((truth.image, row, column, anchor), self.o.shape)
        kept = len(flat) - 1 - np.unique(flat[::-1], return_index=True)[1]
        return (truth.image[kept], row[kept], column[kept], anchor[kept]), kept

    def _learn_boxes(self, goal: np.ndarray) -> None:
        options, at, sides = self.options, self.places, self._sides()
        factor = options.coord_scale
        if not options.rescore and not self.as_ssd:
            factor = factor * (2 - goal[:, 2:].prod(axis=1))
        now, wanted = self._inside(self.boxes[at]), self._inside(goal)
        miss = self.x[(*at, slice(2, 4))] - np.log(goal[:, 2:] * sides / self.anchors[at[3]])
        for k in (0, 1):
            self._squash((*at, k), now[:, k], wanted[:, k], factor)
            far = self.as_ssd & (abs(miss[:, k]) > 1)
            self.d[(*at, 2 + k)] = factor * np.where(far, np.sign(miss[:, k]), miss[:, k])
            self.slopes[(*at, 2 + k)] = factor * ~far

    def _learn_objects(self, goal: np.ndarray) -> None:
        o, at, scale = self.o[self.places], (*self.places, 4), self.options.object_scale
        if self.as_ssd:
            self.d[at] = -2 * scale * o * (1 - o) ** 4
            self.slopes[at] = -2 * scale * o * (1 - o) ** 4 * (1 - 5 * o)
            return
        share, self.overlap_slopes = overlap_slopes(self.boxes[self.places], goal)
        self._squash(at, o, share if self.rescored else 1, scale)
