"""Detections out of the maps of YOLOv2."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._regions import anchors_of
from blobnet.layers.detection._yolo_output import YoloOutput


@register
class YoloDetectionOutput(YoloOutput):
    """The boxes that a map of YOLOv2, or two, predict with a high score, without doubles.

    An anchor of a cell, w_a cells wide and h_a high, predicts t_x, t_y, t_w, t_h, t_o and C scores:
    [x, y, w, h] = [(column + s(t_x)) / W, (row + s(t_y)) / H, w_a e^t_w / W, h_a e^t_h / H], s(t) = 1 / (1 + e^-t);
    score = s(t_o) times the largest of softmax(scores), which says the class.
    Of the boxes of an image that score by the threshold or more, by falling score, one is dropped that overlaps a
    better one that stays by nms_threshold or more, whatever its class.

    Bottoms: t (N, A (5 + C), H, W)[; another map of the same anchors, of other H and W]
    Tops: rows [image, class + 1, score, x1, y1, x2, y2] (1, 1, K, 7), by image, then falling score
    Params: none
    Options: yolo_detection_output_param.num_classes C (20), num_box A (5), biases, w_a and h_a of each anchor;
    confidence_threshold (0.01), nms_threshold (0.45)
    Paper: Redmon and Farhadi, YOLO9000: better, faster, stronger, CVPR 2017; as in the fork of MobileNet-YOLO.
    Quirks: K is known only after forward. If nothing is found in any image, there are N rows [image, -1, -1, ...].
    Boxes are not clipped to the image. In the fork all rows are of image 0 and boxes of one image drop those of others:
    with N = 1 it gives the same. side and label_map_file have no effect. Everything is computed on the host. Has no
    backward; force_backward skips it.
    """

    options_field = "yolo_detection_output_param"
    num_bottoms = (1, 2)

    def anchors_by_map(self, count):
        if self.options.coords != 4:
            raise NetError(self.where, expected="coords: 4", got=self.options.coords)
        return [anchors_of(self.options, self.options.num_box, self.where)] * count

    def score(self, t):
        scores = t[..., 5:]
        best = scores.max(axis=-1)
        total = np.exp(scores - best[..., None]).sum(axis=-1)
        return scores.argmax(axis=-1), 1 / (1 + np.exp(-t[..., 4])) / total

    def high(self, scores):
        return scores >= self.options.confidence_threshold
