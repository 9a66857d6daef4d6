"""Rows of the layers of SSD: detections, their loss, their evaluation."""

import numpy as np
from layer_rows import row

RNG = np.random.default_rng(12)


def priors_of(side):
    """(1, 2, 8 * side^2): two boxes at every place of a grid, and the variances."""
    middles = (np.arange(side) + 0.5) / side
    x, y, size = (axis.ravel() for axis in np.meshgrid(middles, middles, [0.28, 0.41]))
    boxes = np.stack([x - size / 2, y - size / 3, x + size / 2, y + size / 3], axis=1)
    boxes += RNG.normal(0, 0.01, boxes.shape)
    return np.stack([boxes.ravel(), np.tile([0.1, 0.1, 0.2, 0.2], len(boxes))])[None]


def scores_of(priors, classes):
    scores = np.exp(RNG.normal(0, 1.5, (2, priors, classes)))
    return (scores / scores.sum(axis=2, keepdims=True)).reshape(2, -1)


PRIORS = priors_of(3)  # 18 of them
OFFSETS, SCORES, FOUR = RNG.normal(0, 0.6, (2, 72)), scores_of(18, 3), scores_of(18, 4)


def detections(options, values=(OFFSETS, SCORES, PRIORS), **more):
    return row("DetectionOutput", values, f"detection_output_param {{ {options} }}", **more)


CASES = {
    "DetectionOutput": detections("num_classes: 3 code_type: CENTER_SIZE confidence_threshold: 0.3 keep_top_k: 10 "
                                  "nms_param { nms_threshold: 0.45 top_k: 12 }"),
    "DetectionOutput corners": detections("num_classes: 3", [OFFSETS, SCORES, PRIORS, (2, 3, 4, 4)]),
    "DetectionOutput corners in sizes": detections("num_classes: 3 code_type: CORNER_SIZE keep_top_k: 50"),
    "DetectionOutput own boxes": detections(
        "num_classes: 3 share_location: false code_type: CENTER_SIZE confidence_threshold: 0.2 background_label_id: 1",
        [RNG.normal(0, 0.6, (2, 216)), SCORES, PRIORS]),
    "DetectionOutput in target": detections("num_classes: 4 code_type: CENTER_SIZE background_label_id: -1 "
                                            "variance_encoded_in_target: true", [OFFSETS / 5, FOUR, PRIORS]),
    "DetectionOutput eta": detections("num_classes: 4 nms_param { nms_threshold: 0.9 eta: 0.8 }",
                                      [OFFSETS / 5, FOUR, PRIORS]),
    "DetectionOutput nothing": detections("num_classes: 3 confidence_threshold: 0.9999"),
    "DetectionOutput one image": detections("num_classes: 3 confidence_threshold: 0.3 nms_param { top_k: 0 }"),
}
