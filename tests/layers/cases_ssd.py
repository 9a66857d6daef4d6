"""Rows of the layers of SSD: detections, their loss, their evaluation."""

import dataclasses

import numpy as np
from layer_rows import row
from multi_box_loops import multi_box_loss

RNG = np.random.default_rng(12)


def priors_of(side):
    """(1, 2, 8 * side^2): two boxes at every place of a grid, and the variances."""
    middles = (np.arange(side) + 0.5) / side
    x, y, size = (axis.ravel() for axis in np.meshgrid(middles, middles, [0.3, 0.38]))
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

LABELS = [2, 1, 3, 2, 1, 1]
TRUTH = np.array([[-1, 0, 0, 0, 0, 0, 0, 0]] + [[i % 2, LABELS[i], i, 0, 0, 0, 0, i == 3] for i in range(6)], float)
TRUTH[1:, 3:7] = PRIORS[0, 0].reshape(18, 4)[[1, 8, 5, 11, 14, 9]] + RNG.normal(0, 0.03, (6, 4))
TRUTH = TRUTH[None, None]
RAW, RAW_TWO = RNG.normal(0, 1.3, (2, 72)), RNG.normal(0, 1.3, (2, 36))
OWN_BOXES = RNG.normal(0, 0.6, (2, 288))


def loss(options, values=(OFFSETS, RAW, PRIORS, TRUTH), more="", classes=4):
    case = row("MultiBoxLoss", values, f"multibox_loss_param {{ num_classes: {classes} {options} }} {more}")
    return dataclasses.replace(case, expected=multi_box_loss(case.source))

FOUND = np.concatenate([np.repeat(TRUTH[0, 0, 1:], 3, axis=0), TRUTH[0, 0, 1:] + [0, 1, 0, 0, 0, 0, 0, 0]])[:, :7]
FOUND[:, 1:3] = np.stack([np.minimum(FOUND[:, 1], 3), RNG.permutation(24) / 24], axis=1)
FOUND[:, 3:] += RNG.normal(0, 0.04, (24, 4))
FOUND[5, 0] = 2  # an image without true boxes
FOUND[7, 1], FOUND[11, 0] = -1, -1
FOUND = FOUND[RNG.permutation(24)][None, None]
SEEN = np.where(TRUTH[:, :, 1:] == 2, 1, TRUTH[:, :, 1:])  # none of class 2


def evaluated(options, values=(FOUND, SEEN), **more):
    return row("DetectionEvaluate", values, f"detection_evaluate_param {{ num_classes: 4 {options} }}",
               exceptions={"reshape": "the images of a batch are rows of one blob"}, **more)


CASES = {
    "DetectionEvaluate": evaluated(""),
    "DetectionEvaluate not the difficult": evaluated("evaluate_difficult_gt: false overlap_threshold: 0.6"),
    "DetectionEvaluate background 3": evaluated("background_label_id: 3", [
        np.where(FOUND == 3, 0, FOUND), np.where(TRUTH[:, :, 1:] == 3, 2, TRUTH[:, :, 1:])]),
    "DetectionEvaluate padded": evaluated("", [FOUND, np.concatenate([SEEN, TRUTH], axis=2)]),
    "MultiBoxLoss": loss("code_type: CENTER_SIZE"),
    "MultiBoxLoss bipartite": loss("match_type: BIPARTITE mining_type: NONE do_neg_mining: false",
                                   more="loss_weight: 0.7"),
    "MultiBoxLoss squares": loss("code_type: CORNER_SIZE loc_loss_type: L2 loc_weight: 2 overlap_threshold: 0.3 "
                                 "neg_pos_ratio: 0.7", more="loss_param { normalization: FULL }"),
    "MultiBoxLoss logistic": loss("code_type: CENTER_SIZE conf_loss_type: LOGISTIC overlap_threshold: 0.4 "
                                  "neg_overlap: 0.2", more="loss_param { normalization: BATCH_SIZE }"),
    "MultiBoxLoss logistic, background 3": loss(
        "conf_loss_type: LOGISTIC background_label_id: 3 neg_pos_ratio: 5",
        [OFFSETS, RAW, PRIORS, np.where(TRUTH == 3, 2, TRUTH)], "loss_param { normalization: NONE }"),
    "MultiBoxLoss logistic everywhere": loss("code_type: CENTER_SIZE conf_loss_type: LOGISTIC mining_type: NONE "
                                             "overlap_threshold: 0.3", more="loss_param { normalize: false }"),
    "MultiBoxLoss hard examples": loss("code_type: CENTER_SIZE mining_type: HARD_EXAMPLE sample_size: 6"),
    "MultiBoxLoss hard examples apart": loss(
        "code_type: CENTER_SIZE mining_type: HARD_EXAMPLE sample_size: 5 use_prior_for_nms: true do_neg_mining: true "
        "overlap_threshold: 0.4 nms_param { nms_threshold: 0.3 top_k: 12 }"),
    "MultiBoxLoss negatives apart": loss("code_type: CENTER_SIZE nms_param { nms_threshold: 0.2 top_k: 9 }"),
    "MultiBoxLoss no negatives": loss("code_type: CENTER_SIZE nms_param { }"),
    "MultiBoxLoss own boxes": loss("code_type: CENTER_SIZE share_location: false mining_type: NONE "
                                   "overlap_threshold: 0.3", [OWN_BOXES, RAW, PRIORS, TRUTH]),
    "MultiBoxLoss own predictions": loss("code_type: CENTER_SIZE share_location: false mining_type: NONE "
                                         "use_prior_for_matching: false overlap_threshold: 0.3",
                                         [OWN_BOXES, RAW, PRIORS, TRUTH]),
    "MultiBoxLoss not the difficult": loss("code_type: CENTER_SIZE use_difficult_gt: false overlap_threshold: 0.4"),
    "MultiBoxLoss variance in target": loss("code_type: CENTER_SIZE encode_variance_in_target: true"),
    "MultiBoxLoss agnostic": loss(
        "code_type: CENTER_SIZE mining_type: NONE map_object_to_agnostic: true bp_inside: true "
        "ignore_cross_boundary_bbox: true use_prior_for_matching: false", [OFFSETS, RAW_TWO, PRIORS, TRUTH], classes=2),
    "MultiBoxLoss inside": loss("code_type: CORNER bp_inside: true overlap_threshold: 0.2"),
    "MultiBoxLoss scores only": loss("code_type: CENTER_SIZE", more="propagate_down: false propagate_down: true "
                                     "propagate_down: false propagate_down: false"),
    "MultiBoxLoss no truth": loss("mining_type: NONE", [OFFSETS, RAW, PRIORS, TRUTH[:, :, :1]]),
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
