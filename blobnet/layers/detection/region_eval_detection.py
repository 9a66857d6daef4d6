"""Which detections of YOLOv2 are right."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.detection._evaluated import Evaluated
from blobnet.layers.detection._regions import anchors_of, by_anchor, is_ssd, probabilities, region_boxes, true_boxes

LEAST = 0.005  # detections of a lower score are left out


@register
class RegionEvalDetection(Evaluated):
    """Detections of YOLOv2 as true or false positives, from which average precision is computed.

    An anchor of a cell, w_a cells wide and h_a high, predicts t_x, t_y, t_w, t_h, t_o and C scores:
    x = (column + s(t_x)) / S, y = (row + s(t_y)) / S, w = w_a e^t_w / S, h = h_a e^t_h / S,   s(t) = 1 / (1 + e^-t)
    o = s(t_o);   p, the largest of softmax(scores), says the class;   score = o p (MULTIPLY), o (OBJ) or p (PROB)
    Of the boxes of an image by falling score, one is dropped that overlaps a better one that stays by nms or more,
    whatever its class; then those with a score below 0.005. Of a class, right = 1 for the first box that overlaps a
    true one, which it overlaps most, by threshold, and wrong = 1 for further ones.

    A net writes type: "EvalDetection" for this layer and for that of the first YOLO. It is this one if it has biases.

    Bottoms: t (N, B (5 + C), S, S); true boxes (1, 1, G, 8), rows [image or -1, class + 1, -, x1, y1, x2, y2, -][;
    another one without effect]
    Tops: (N, C + 4 S^2 B): for each class how many true boxes there are, then rows [class, score, right, wrong] by
    class and falling score, and 0 where there are no more
    Params: none
    Options: eval_detection_param.side S (7), num_class C (20), num_object B (2), biases, w_a and h_a of each anchor;
    threshold (0.5), score_type (MULTIPLY), nms (-1); sqrt and constriant have no effect
    Paper: Redmon and Farhadi, YOLO9000: better, faster, stronger, CVPR 2017; as in Intel's fork of Caffe.
    Quirks: a box that overlaps no true one enough is wrong only in images without true boxes of its class, elsewhere it
    is neither. With nms below 0 there are no detections. Equal scores keep the order cell, anchor. True boxes without
    an area are left out. Everything is computed on the host. The gradient is 0.
    """

    variant_of = "EvalDetection"

    @classmethod
    def claims(cls, param):
        return len(param.eval_detection_param.biases) > 0

    def setup(self, bottom, top):
        super().setup(bottom, top)
        self.anchors = anchors_of(self.options, self.options.num_object, self.where)

    def reshape(self, bottom, top):
        side, labels = self.options.side, bottom[1].shape
        self.check(0, bottom[0], self.boxes * (5 + self.classes))
        if bottom[0].shape[2:] != (side, side):
            raise ShapeError(self.where, expected=f"predictions (N, C, {side}, {side})", got=bottom[0].shape)
        if not is_ssd(labels):
            raise ShapeError(self.where, expected="true boxes (1, 1, G, 8)", got=labels)
        top[0].reshape((bottom[0].shape[0], self.classes + 4 * self.boxes))

    def found(self, x):
        x = by_anchor(x, len(self.anchors))
        o, p = probabilities(x)
        return p.argmax(axis=-1), self.score(o, p.max(axis=-1)), region_boxes(x, self.anchors)

    def truth(self, labels, images):
        truth = true_boxes(labels, images, self.classes, self.where)
        return *truth, np.ones(len(truth.label), bool)

    def kept(self, boxes, scores):
        if self.options.nms < 0:
            return np.zeros(0, int)
        order = super().kept(boxes, scores)
        return order[scores[order] >= LEAST]

    def verdicts(self, shares, rows):
        if shares.shape[1]:
            rows[shares.max(axis=1) < self.options.threshold, 1] = 0
        return rows
