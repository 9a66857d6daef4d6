"""Which detections of YOLO are right."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import DataError
from blobnet.layers.detection._evaluated import Evaluated


@register
class EvalDetection(Evaluated):
    """Detections of YOLO as true or false positives, from which average precision is computed.

    The class of all boxes of a cell is that of its largest probability p; score = o p (MULTIPLY), o (OBJ) or p (PROB)
    x = (column + t_x) / S, y = (row + t_y) / S, w = t_w^2, h = t_h^2; without constriant x = t_x, y = t_y, without sqrt
    w = t_w, h = t_h
    Of the boxes of an image by falling score, one is dropped that overlaps a better one that stays by nms or more,
    whatever its class; none if nms is below 0. Of a class, right = 1 for the first box that overlaps a true one,
    which it overlaps most, by threshold, and wrong = 1 for others; both are 0 if that true box is difficult.

    Bottoms: (N, S^2 (C + 5 B)), for every image the probabilities (C, S^2), objectness (B, S^2), boxes (B, 4, S^2);
    labels (N, 7 S^2): difficult (S^2), whether there is a true box in the cell (S^2), its class (S^2), and its
    [x, y, w, h] (S^2, 4)[; another one without effect]
    Tops: (N, C + 4 S^2 B): for each class how many true boxes count, then rows [class, score, right, wrong] by class
    and falling score, and 0 where there are no more
    Params: none
    Options: eval_detection_param.side S (7), num_class C (20), num_object B (2), threshold (0.5), sqrt (true),
    constriant (true), score_type (MULTIPLY), nms (-1)
    Paper: Redmon et al., You only look once: unified, real-time object detection, CVPR 2016; as in forks of Caffe.
    Quirks: equal scores keep the order cell, box. Everything is computed on the host. The gradient is 0. With biases
    the layer is RegionEvalDetection.
    """

    def reshape(self, bottom, top):
        cells = self.options.side ** 2
        self.check(0, bottom[0], cells * self.classes + 5 * self.boxes)
        self.check(1, bottom[1], 7 * cells)
        top[0].reshape((bottom[0].shape[0], self.classes + 4 * self.boxes))

    def found(self, x):
        options, side = self.options, self.options.side
        cells, count = side ** 2, options.num_object
        channels = self.classes + 5 * count
        p, o, t = np.split(x.reshape(len(x), channels, cells), [self.classes, self.classes + count], axis=1)
        o, boxes = o.transpose(0, 2, 1), t.reshape(len(x), count, 4, cells).transpose(0, 3, 1, 2).copy()
        if options.constriant:
            row, column = np.divmod(np.arange(cells), side)
            boxes[..., :2] = (boxes[..., :2] + np.stack([column, row], axis=1)[:, None]) / side
        if options.sqrt:
            boxes[..., 2:] **= 2
        labels, most = (np.broadcast_to(values[..., None], o.shape) for values in (p.argmax(axis=1), p.max(axis=1)))
        return labels, self.score(o, most), boxes

    def truth(self, labels, images):
        cells = self.options.side ** 2
        rows = labels.reshape(images, 7 * cells)
        difficult, present, label, box = np.split(rows, [cells, 2 * cells, 3 * cells], axis=1)
        image, cell = np.nonzero(present)
        label = label[image, cell]
        if not ((label > -1) & (label < self.classes)).all():
            raise DataError(self.where, expected=f"classes from 0 to {self.classes - 1}", got=label.tolist()[:20])
        return image, label.astype(int), box.reshape(images, cells, 4)[image, cell], difficult[image, cell] != 1
