"""Detections out of the maps of YOLOv3."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._regions import anchors_of, masked
from blobnet.layers.detection._yolo_output import YoloOutput


@register
class Yolov3DetectionOutput(YoloOutput):
    """The boxes that the maps of YOLOv3 predict with a high score, without doubles.

    An anchor of a cell, w_a pixels wide and h_a high, of cells of P pixels, predicts t_x, t_y, t_w, t_h, t_o and C
    scores: [x, y, w, h] = [(column + s_x) / W, (row + s_y) / H, w_a e^t_w / (P W), h_a e^t_h / (P H)], with
    s = 1 / (1 + e^-t);  score = s_o times the largest s of the scores, which says the class.
    Of the boxes of an image that score above the threshold, by falling score, one is dropped that overlaps a better one
    that stays by nms_threshold or more, whatever its class.

    Bottoms: maps t (N, A (5 + C), H, W), one a scale, mask_group_num in all; H and W may differ
    Tops: rows [image, class + 1, score, x1, y1, x2, y2] (1, 1, K, 7), by image, then falling score
    Params: none
    Options: yolov3_detection_output_param.num_classes C (20), num_box A (3), mask_group_num (2); biases, w_a and h_a of
    all anchors; mask, the A numbers of those of the first map, then of the next; anchors_scale, P of each map;
    confidence_threshold (0.01), nms_threshold (0.45)
    Paper: Redmon and Farhadi, YOLOv3: an incremental improvement, 2018; as in the fork of MobileNet-YOLO.
    Quirks: K is known only after forward. If nothing is found in any image, there are N rows [image, -1, -1, ...].
    Boxes are not clipped to the image. In the fork all rows are of image 0 and boxes of one image drop those of others:
    with N = 1 it gives the same. gaussian_box is refused. Everything is computed on the host. Has no backward;
    force_backward skips it.
    """

    options_field = "yolov3_detection_output_param"
    num_bottoms = (1, None)

    def anchors_by_map(self, count):
        options, A = self.options, self.options.num_box
        if options.mask_group_num != count or len(options.anchors_scale) != count or not all(options.anchors_scale):
            raise NetError(self.where, expected=f"mask_group_num: {count}, as there are bottoms, and as many "
                           "anchors_scale above 0", got=f"{options.mask_group_num} and {list(options.anchors_scale)}")
        sizes = anchors_of(options, len(options.biases) // 2, self.where)
        if len(options.mask) != A * count:
            raise NetError(self.where, expected=f"mask, {A * count} numbers for {count} maps of {A} anchors",
                           got=len(options.mask))
        return [sizes[masked(options.mask[A * i:A * (i + 1)], A, len(sizes), self.where)] / scale
                for i, scale in enumerate(options.anchors_scale)]

    def score(self, t):
        return t[..., 5:].argmax(axis=-1), 1 / (1 + np.exp(-t[..., 4])) / (1 + np.exp(-t[..., 5:].max(axis=-1)))

    def high(self, scores):
        return scores > self.options.confidence_threshold
