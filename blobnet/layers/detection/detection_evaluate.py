"""Which detections are right."""

from __future__ import annotations

from itertools import takewhile

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.layers.detection._sizes import MOST_CLASSES, in_pixels, pixel_overlaps, read_sizes
from blobnet.ops.boxes import hits, overlaps

IMAGE, LABEL, SCORE, TRUE_BOX, DIFFICULT = 0, 1, 2, slice(3, 7), 7


@register
class DetectionEvaluate(Layer):
    """Detections as true or false positives, from which average precision is computed.

    Of one image and class, by falling score: a box whose largest intersection / union with a true box is at least
    overlap_threshold is a hit; tp = 1 for the first hit of a true box, fp = 1 for further hits and for misses.

    Bottoms: detections (1, 1, D, 7), rows [image, class, score, x1, y1, x2, y2]; truth (1, 1, G, 8), rows [image,
    class, -, x1, y1, x2, y2, difficult]
    Tops: (1, 1, C - 1 + K, 5), first a row [-1, class, true boxes, -1, -1] for every class but the background's, then
    [image, class, score, tp, fp] by image, class and falling score    Params: none
    Options: num_classes C; background_label_id (0); overlap_threshold (0.5); evaluate_difficult_gt (true; false: true
    boxes marked as difficult do not count, and a hit on one is neither tp nor fp); name_size_file, a list with "name
    height width" for every image: boxes are compared in pixels; resize_param, how the images had been resized
    Paper: Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge, IJCV 2010.
    Quirks: detections of class -1 are dropped, so K is known only in forward; those of image -1 leave rows of 0 at the
    end. Where an image has no true box of the class, the rows keep their order. The list of sizes goes on by one for
    every image that has detections, and starts anew at its end and when a run starts. In pixels, boxes that do not meet
    have one in common. True boxes behind the first of image -1 are not read. Runs on the host, without a backward.
    """

    options_field = "detection_evaluate_param"
    num_bottoms = 2
    unforced_bottoms = (0, 1)
    place = 0

    def setup(self, bottom, top):
        options = self.options
        if not 0 < options.num_classes <= MOST_CLASSES:
            raise NetError(self.where, expected=f"num_classes from 1 to {MOST_CLASSES}", got=options.num_classes)
        self.resize = options.resize_param if options.HasField("resize_param") else None
        sides = [options.resize_param.height, options.resize_param.width] if self.resize is not None else []
        if not options.overlap_threshold > 0 or 0 in sides:
            raise NetError(self.where, expected="overlap_threshold, and height and width in resize_param, above 0")
        self.classes = [k for k in range(options.num_classes) if k != options.background_label_id]
        self.sizes: list[tuple[int, int]] | None = None  # read when first needed: nets are also built without data

    def reshape(self, bottom, top):
        for blob, width in zip(bottom, (7, 8)):
            if len(blob.shape) != 4 or blob.shape[:2] != (1, 1) or blob.shape[3] != width:
                raise ShapeError(self.where, expected=f"rows of {width} in (1, 1, rows, {width})", got=blob.shape)
        top[0].reshape((1, 1, len(self.classes) + bottom[0].shape[2], 5))  # until forward knows what is dropped

    def seek(self, step: int) -> None:
        self.place = 0

    def formula(self, detections, truth):
        def overlap(a, b):
            w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            size = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
            return w * h / (size - w * h) if w > 0 and h > 0 else 0

        found = [row for row in detections[0, 0] if row[LABEL] != -1]
        truth = list(takewhile(lambda row: row[IMAGE] != -1, truth[0, 0]))
        counted = [self.options.evaluate_difficult_gt or not row[DIFFICULT] for row in truth]
        rows = [[-1, k, sum(c for c, row in zip(counted, truth) if row[LABEL] == k), -1, -1] for k in self.classes]
        for n, k in sorted({(row[IMAGE], row[LABEL]) for row in found if row[IMAGE] != -1}):
            goals, taken = [g for g, row in enumerate(truth) if (row[IMAGE], row[LABEL]) == (n, k)], set()
            own = [row for row in found if (row[IMAGE], row[LABEL]) == (n, k)]
            for row in sorted(own, key=lambda row: -row[SCORE] if goals else 0):
                share, g = max(((overlap(row[3:], truth[g][TRUE_BOX]), -g) for g in goals), default=(-1, 0))
                hit = share >= self.options.overlap_threshold
                rows.append([n, k, row[SCORE], hit and counted[-g] and g not in taken,
                             not hit or (counted[-g] and g in taken)])
                taken |= {g} if hit else set()
        return np.array(rows + [[0] * 5] * (len(self.classes) + len(found) - len(rows)), float)

    def forward(self, bottom, top):
        found, truth = (to_host(blob.data)[0, 0] for blob in bottom)
        found = found[found[:, LABEL] != -1]
        rows = np.zeros((len(self.classes) + len(found), 5), self.dtype)
        found = found[np.trunc(found[:, IMAGE]) != -1]
        truth = truth[np.cumprod(np.trunc(truth[:, IMAGE]) != -1).astype(bool)]
        if (np.trunc(np.append(found[:, LABEL], truth[:, LABEL])) == self.options.background_label_id).any():
            raise DataError(self.where, expected="labels of objects in both bottoms",
                            got=f"the background's, {self.options.background_label_id}")
        at, counted = len(self.classes), (truth[:, DIFFICULT] == 0) | self.options.evaluate_difficult_gt
        for i, k in enumerate(self.classes):
            rows[i] = -1, k, (counted & (np.trunc(truth[:, LABEL]) == k)).sum(), -1, -1
        for n in np.unique(np.trunc(found[:, IMAGE])):
            for k in np.unique(np.trunc(found[np.trunc(found[:, IMAGE]) == n, LABEL])):
                own, goals = (np.flatnonzero((np.trunc(part[:, IMAGE]) == n) & (np.trunc(part[:, LABEL]) == k))
                              for part in (found, truth))
                if len(goals):
                    own = own[np.argsort(-found[own, SCORE], kind="stable")]
                shares = self.shares(found[own, 3:], truth[goals, TRUE_BOX])
                own_rows = rows[at:at + len(own)]
                own_rows[:, :2], own_rows[:, 2] = (n, k), found[own, SCORE]
                own_rows[:, 3:] = hits(shares, self.options.overlap_threshold, counted[goals])
                at += len(own)
            self.place += 1
        top[0].reshape((1, 1, *rows.shape))
        top[0].data[...] = self.xp.asarray(rows)

    def shares(self, boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """(B, G): the overlaps of detections and true boxes of the image at `place`."""
        if self.sizes is None:
            self.sizes = read_sizes(self.options.name_size_file) if self.options.name_size_file else []
        if not self.sizes:
            return overlaps(boxes, truth)
        size = self.sizes[self.place % len(self.sizes)]
        return pixel_overlaps(*in_pixels(boxes, size, self.resize), *in_pixels(truth, size, self.resize))
