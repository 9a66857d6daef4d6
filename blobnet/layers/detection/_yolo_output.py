"""What the layers that find the boxes of YOLOv2 and YOLOv3 share."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.layers.detection._detections import ROW, write_detections
from blobnet.layers.detection._regions import below, by_anchor, corners, region_boxes
from blobnet.ops.boxes import suppress


class YoloOutput(Layer):
    """Rows of detections out of maps (N, A (5 + C), H, W), any number of them, of A anchors each.

    A subclass gives `anchors_by_map(count)`, arrays (A, 2) in cells for each of the maps; `score(t)`, of predictions
    (..., 5 + C) the best class and its score (...); `high(scores)`, which are high enough.
    """

    def setup(self, bottom, top):
        options = self.options
        self.unforced_bottoms = tuple(range(len(bottom)))
        if not options.num_classes or not options.num_box or not 0 < options.nms_threshold <= 1:
            raise NetError(self.where, expected="num_classes and num_box of at least 1, nms_threshold in (0, 1]",
                           got=f"{options.num_classes}, {options.num_box} and {options.nms_threshold:g}")
        self.anchors = self.anchors_by_map(len(bottom))

    def reshape(self, bottom, top):
        options = self.options
        channels = options.num_box * (5 + options.num_classes)
        for i, blob in enumerate(bottom):
            shape = blob.shape
            wanted = (*bottom[0].shape[:1], channels)
            if len(shape) != 4 or shape[:2] != wanted or not shape[2] * shape[3]:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=shape, expected="predictions "
                                 f"({wanted[0] if len(wanted) > 1 else 'N'}, {channels}, H, W), of {options.num_box} "
                                 "anchors")
        top[0].reshape((1, 1, 1, ROW))  # until forward knows the number of rows

    def formula(self, *maps):
        rows = []
        for n in range(len(maps[0])):
            found, kept = [], []
            for x, anchors in zip(maps, self.anchors):
                height, width = x.shape[2:]
                t = x[n].reshape(len(anchors), -1, height, width)
                for a, i, j in np.ndindex(len(anchors), height, width):
                    label, score = self.score(t[a, :, i, j])
                    (tx, ty), size = t[a, :2, i, j], np.exp(t[a, 2:4, i, j]) * anchors[a] / [width, height]
                    middle = [(j + 1 / (1 + np.exp(-tx))) / width, (i + 1 / (1 + np.exp(-ty))) / height]
                    if self.high(score):
                        found.append([n, label + 1, score, *(middle - size / 2), *(middle + size / 2)])
            for row in sorted(found, key=lambda row: -row[2]):
                a = np.array(row[3:])
                for b in (other[3:] for other in kept):
                    common = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
                    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
                    if common >= self.options.nms_threshold * (sum(areas) - common):
                        break
                else:
                    kept.append(row)
            rows += kept
        return np.array(rows or [[n] + [-1] * (ROW - 1) for n in range(len(maps[0]))])

    def forward(self, bottom, top):
        images = bottom[0].shape[0]
        with np.errstate(over="ignore", invalid="ignore"):  # predictions may be any numbers
            maps = [self._candidates(blob, anchors) for blob, anchors in zip(bottom, self.anchors)]
        rows = [self._kept(n, np.concatenate([own[n] for own in maps])) for n in range(images)]
        write_detections(rows, top[0])

    def _candidates(self, blob, anchors):
        """For every image the rows [label, score, x1, y1, x2, y2] of what scores high in a map."""
        t = by_anchor(to_host(blob.data), len(anchors))
        labels, scores = self.score(t)
        rows = np.concatenate([labels[..., None] + 1, scores[..., None], corners(region_boxes(t, anchors))], axis=-1)
        return [own[high] for own, high in zip(rows.astype(self.dtype), self.high(scores))]

    def _kept(self, image, rows):
        rows = rows[suppress(rows[:, 2:], rows[:, 1], below(self.options.nms_threshold))]
        return np.column_stack([np.full(len(rows), image, self.dtype), rows])
