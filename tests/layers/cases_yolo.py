"""Rows of the layers of YOLO: the losses of its second and third version, and the evaluation of the first two."""

import dataclasses

import numpy as np
from layer_rows import row
from region_loops import detections, eval_detection, region_loss, yolo_seg, yolov3

RNG = np.random.default_rng(2)
ANCHORS = "biases: 1.1 biases: 0.9 biases: 2 biases: 1.4 biases: 0.8 biases: 2.2"

PIXELS = " ".join(f"biases: {side}" for side in (18, 14, 32, 22, 13, 35, 24, 20, 10, 12))


def boxes(count):
    """Around their middles."""
    return np.concatenate([RNG.uniform(0.1, 0.9, (count, 2)), RNG.uniform(0.1, 0.5, (count, 2))], axis=1)


def rows_of(images, labels, boxes):
    """True boxes as SSD has them."""
    ends = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
    return np.column_stack([images, np.array(labels) + 1, np.zeros(len(boxes)), ends, np.zeros(len(boxes))])[None, None]


PREDICTIONS = RNG.normal(0, 1, (2, 24, 4, 5))
LISTS = np.zeros((2, 4, 5))
LISTS[0, :3], LISTS[1, :2] = np.column_stack([[2, 0, 1], boxes(3)]), np.column_stack([[1, 1], boxes(2)])
LISTS[0, 2, 1:] = LISTS[0, 1, 1:] * [1, 1, 1.02, 1.02]  # the same cell and anchor
LISTS[1, 3] = [1, 0.3, 0.3, 0.3, 0.3]                   # behind the end
ROWS = rows_of([0, 1, 0, -1, 1], [2, 0, 1, 1, 2], boxes(5))


def loss(options="", labels=LISTS):
    case = row("RegionLoss", [PREDICTIONS, labels], f"region_loss_param {{ num: 3 num_class: 3 {ANCHORS} {options} }}")
    return dataclasses.replace(case, expected=region_loss(case.source))


def third(options="", labels=LISTS, mask=(0, 1, 2)):
    options += " num: 3 num_class: 3 anchors_scale: 16 " + " ".join(f"mask: {k}" for k in mask)
    case = row("Yolov3", [PREDICTIONS, labels], f"yolov3_param {{ {options} {PIXELS} }}")
    return dataclasses.replace(case, expected=yolov3(case.source))


def segmented(options, *more):
    case = row("YoloSeg", [(2, 3, 4, 5), SHARES, *more], f"yolo_seg_param {{ {options} }}")
    return dataclasses.replace(case, expected=yolo_seg(case.source))


def evaluated(options, values, kind="EvalDetection"):
    case = row(kind, values, f"eval_detection_param {{ {options} }}")
    return dataclasses.replace(case, expected=eval_detection(case.source))


def shown(kind, options, maps):
    field = {"YoloDetectionOutput": "yolo_detection_output_param"}.get(kind, "yolov3_detection_output_param")
    case = row(kind, maps, f"{field} {{ num_classes: 3 num_box: 3 {options} }}")
    return dataclasses.replace(case, expected=detections(case.source))


def first_yolo(side, classes, count):
    """Predictions of two images, and labels, some of which are difficult."""
    cells = side * side
    x = RNG.uniform(0.2, 0.8, (2, cells * (classes + 5 * count)))
    goals = np.zeros((2, 7 * cells))
    for own, predicted in zip(goals, x):
        own[:cells], own[cells:2 * cells] = RNG.random(cells) < 0.4, RNG.random(cells) < 0.7
        own[2 * cells:3 * cells] = predicted[:cells * classes].reshape(classes, cells).argmax(axis=0)
        t = predicted[cells * (classes + count):].reshape(count, 4, cells)[0].T.copy()
        row, column = np.divmod(np.arange(cells), side)
        t[:, :2] = (t[:, :2] + np.stack([column, row], axis=1)) / side
        t[:, 2:] = t[:, 2:] ** 2 * RNG.uniform(0.7, 1.4, (cells, 2))
        own[3 * cells:] = t.ravel()
    return x, goals


FIRST = first_yolo(3, 4, 2)
SECOND = RNG.normal(0, 1.5, (2, 24, 4, 4))
FINE = "side: 4 num_class: 3 num_object: 3 " + ANCHORS


def seen():
    """True boxes near predictions of high objectness, twice for one, and one of a class that nobody predicts there."""
    found, middles = [], SECOND.reshape(2, 3, 8, 4, 4)
    for n in (0, 1):
        for k in np.argsort(-middles[n, :, 4].ravel())[:6]:
            a, y, x = np.unravel_index(k, (3, 4, 4))
            t = middles[n, a, :, y, x]
            size = np.exp(t[2:4]) * np.array([(1.1, 0.9), (2, 1.4), (0.8, 2.2)][a]) / 4
            place = (np.array([x, y]) + 1 / (1 + np.exp(-t[:2]))) / 4
            found.append([n, t[5:].argmax(), *place, *size * RNG.uniform(0.8, 1.2, 2)])
    found = np.array([*found, found[0]])
    return rows_of(found[:, 0], found[:, 1], found[:, 2:])


SEEN = seen()

SHARES = RNG.uniform(0, 1, (2, 3, 4, 5))
MAPS = [RNG.normal(0, 1.5, (2, 24, 3, 4)), RNG.normal(0, 1.5, (2, 24, 6, 8))]
SCALES = f"{PIXELS} biases: 7 biases: 9 anchors_scale: 16 anchors_scale: 8 mask: [0, 2, 1, 5, 3, 4]"

CASES = {
    "RegionLoss": loss(),
    "RegionLoss not rescored": loss("rescore: 0 gradient: EXACT"),
    "RegionLoss by predictions": loss("bias_match: 0"),
    "RegionLoss weights": loss("thresh: 0.05 object_scale: 5 noobject_scale: 1 coord_scale: 1.5 class_scale: 2"),
    "RegionLoss rows": loss("", ROWS),
    "RegionLoss rows by predictions": loss("bias_match: 0 object_scale: 5 coord_scale: 1 thresh: 0.6", ROWS),
    "RegionLoss rows of none": loss("", ROWS[:, :, 3:4]),
    "Yolov3": third(),
    "Yolov3 exact": third("gradient: EXACT thresh: 0.4 class_scale: 2 coord_scale: 1.5"),
    "Yolov3 logic": third("use_logic_gradient: true object_scale: 3 label_smooth_eps: 0"),
    "Yolov3 logic exact": third("use_logic_gradient: true object_scale: 3 gradient: EXACT", mask=(4, 0, 1)),
    "Yolov3 best": third("iou_thresh: 1", mask=(1, 3, 4)),
    "Yolov3 rows": third("iou_thresh: 0.2", ROWS),
    "Yolov3 rows of none": third("", ROWS[:, :, 3:4]),
    "YoloSeg": segmented(""),
    "YoloSeg exact": segmented("object_scale: 0.4 gradient: EXACT"),
    "YoloSeg weighted": segmented("object_scale: 0.4 gradient: EXACT", np.array([[3, 8, 0], [12, 5, 1.0]])),
    "YoloDetectionOutput": shown("YoloDetectionOutput", ANCHORS + " confidence_threshold: 0.2", MAPS[:1]),
    "YoloDetectionOutput two maps": shown("YoloDetectionOutput", ANCHORS + " nms_threshold: 0.2", MAPS),
    "YoloDetectionOutput nothing": shown("YoloDetectionOutput", ANCHORS + " confidence_threshold: 0.9999", MAPS),
    "Yolov3DetectionOutput": shown("Yolov3DetectionOutput", SCALES, MAPS),
    "Yolov3DetectionOutput few": shown("Yolov3DetectionOutput", SCALES + " confidence_threshold: 0.4 "
                                       "nms_threshold: 0.3", MAPS),
    "Yolov3DetectionOutput one map": shown(
        "Yolov3DetectionOutput", f"{PIXELS} anchors_scale: 16 mask: [3, 0, 4] mask_group_num: 1 nms_threshold: 0.9",
        MAPS[:1]),
    "Yolov3DetectionOutput nothing": shown("Yolov3DetectionOutput", SCALES + " confidence_threshold: 0.9999", MAPS),
    "EvalDetection": evaluated("side: 3 num_class: 4", FIRST),
    "EvalDetection apart": evaluated("side: 3 num_class: 4 nms: 0.3 threshold: 0.3 score_type: OBJ", FIRST),
    "EvalDetection as they are": evaluated("side: 3 num_class: 4 sqrt: false constriant: false score_type: PROB",
                                           [*FIRST, (2, 3)]),
    "RegionEvalDetection": evaluated(FINE + " nms: 0.45", [SECOND, SEEN]),
    "RegionEvalDetection by name": evaluated(FINE + " nms: 0 score_type: PROB threshold: 0.7", [SECOND, SEEN],
                                             "RegionEvalDetection"),
    "RegionEvalDetection all": evaluated(FINE, [SECOND, SEEN]),
    "RegionEvalDetection objects": evaluated(FINE + " nms: 0.99 score_type: OBJ threshold: 0.6",
                                             [SECOND, SEEN, (2, 1)]),
}
