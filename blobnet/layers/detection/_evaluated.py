"""What EvalDetection and RegionEvalDetection share: detections of an image as rows of hits and misses."""

from __future__ import annotations

import math

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.layers.detection._regions import below, corners
from blobnet.ops.boxes import hits, overlaps, suppress

MOST = 1 << 24  # numbers of an image in the top


class Evaluated(Layer):
    """Tops (N, C + 4 B) of C counts of true boxes, and for B detections [class, score, right, wrong].

    A subclass gives `found(x)`, of all predictions of a batch the classes (N, B), scores (N, B) and boxes (N, B, 4)
    around their middles, B in as many axes as it likes; and `truth(labels, images)`, the image, class and box of every
    true box, and whether it counts.
    """

    options_field = "eval_detection_param"
    num_bottoms = (2, 3)
    unforced_bottoms = (0, 1, 2)

    def setup(self, bottom, top):
        options = self.options
        self.classes, self.boxes = options.num_class, options.side ** 2 * options.num_object
        if not self.classes or not self.boxes or self.classes + 4 * self.boxes > MOST:
            raise NetError(self.where, expected="side, num_class and num_object above 0, and no more than "
                           f"{MOST} numbers an image", got=f"{options.side}, {self.classes} and {options.num_object}")
        if not options.threshold > 0 or not math.isfinite(options.nms):
            raise NetError(self.where, expected="threshold above 0, and a number for nms",
                           got=f"{options.threshold:g} and {options.nms:g}")

    def check(self, i, blob, count):
        """ShapeError unless a bottom has `count` numbers an image."""
        if len(blob.shape) < 2 or math.prod(blob.shape[1:]) != count:
            raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", expected=f"(N, …) of {count} numbers "
                             "an image, by side, num_class and num_object", got=blob.shape)

    def forward(self, bottom, top):
        x, labels = (to_host(blob.data) for blob in bottom[:2])
        rows = np.zeros(top[0].shape, self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # predictions may be any numbers
            classes, scores, boxes = self.found(x)
            found = [values.reshape(len(x), self.boxes) for values in (classes, scores)]
            found.append(boxes.reshape(len(x), self.boxes, 4))
            image, label, box, counted = self.truth(labels, len(x))
            np.add.at(rows, (image[counted], label[counted]), 1)
            for n, (row, *own) in enumerate(zip(rows, *found)):
                here = image == n
                result = self.judged(*own, label[here], corners(box[here]), counted[here])
                row[self.classes:self.classes + result.size] = result.ravel()
        top[0].data[...] = self.xp.asarray(rows)

    def judged(self, labels, scores, boxes, goal_labels, goals, counted):
        """(D, 4): the rows of those detections of an image that are kept, by class and falling score."""
        boxes = corners(boxes)
        order = self.kept(boxes, scores)
        order = order[np.argsort(labels[order], kind="stable")]
        rows = np.column_stack([labels[order], scores[order], np.zeros((len(order), 2))])
        for k in np.unique(labels[order]):
            own, there = rows[:, 0] == k, goal_labels == k
            shares = overlaps(boxes[order[own]], goals[there])
            rows[own, 2:] = self.verdicts(shares, hits(shares, self.options.threshold, counted[there]))
        return rows

    def kept(self, boxes, scores):
        """The numbers of the detections that are kept, by falling score."""
        if self.options.nms < 0:
            return np.argsort(-scores, kind="stable")
        return suppress(boxes, scores, below(self.options.nms))[:None if self.options.nms else 1]

    def verdicts(self, shares, rows):
        """The rows [right, wrong] as they are shown."""
        return rows

    def score(self, objectness, probability):
        """The score of a box, by score_type."""
        options = self.options
        if options.score_type == options.OBJ:
            return objectness
        return np.broadcast_to(probability, objectness.shape) * (
            1 if options.score_type == options.PROB else objectness)

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
