"""The loss and the evaluation of YOLO in figures that were worked out by hand, and what they refuse."""

import math

import numpy as np
import pytest
from cases_yolo import CASES, LISTS, PREDICTIONS
from layer_rows import build
from region_loops import yolov3_errors

from blobnet.check.standalone import read_layer, standalone
from blobnet.core.registry import class_of
from blobnet.errors import DataError
from blobnet.layers.detection._regions import true_boxes
from blobnet.proto.text import parse

ONE = "num: 1 num_class: 2 biases: 1 biases: 1"
ZEROS = np.zeros((1, 7, 1, 1))  # the box [0.5, 0.5, 1, 1], everything else with the probability 0.5
LOG2, LOG3 = math.log(2), math.log(3)


def errors(options, labels, predictions=ZEROS):
    """The loss, and the gradient of every number."""
    layer = build("RegionLoss", [predictions, labels], f"region_loss_param {{ {ONE} {options} }}")
    loss, = layer.forward()
    dx, *_ = layer.backward([np.ones(())], [True, False])
    return float(loss), dx.ravel()


@pytest.mark.parametrize("options, labels, d", [
    ("", [[0, 0, 0, 0, 0]], [0, 0, 0, 0, 0.0625, 0, 0]),  # 0.5 * 0.5 * 0.25
    ("noobject_scale: 1", [[0, 0, 0, 0, 0]], [0, 0, 0, 0, 0.125, 0, 0]),
    # Half of the place: IoU 0.5, as objectness is.
    ("", [[1, 0.25, 0.5, 0.5, 1]], [0.3125, 0, 5 * LOG2, 0, 0, 0.5, -0.5]),
    ("rescore: 0", [[1, 0.25, 0.5, 0.5, 1]], [0.46875, 0, 7.5 * LOG2, 0, -0.125, 0.5, -0.5]),
    ("class_scale: 3 coord_scale: 1 object_scale: 4", [[0, 0.5, 0.5, 1, 1]], [0, 0, 0, 0, -0.5, -1.5, 1.5]),
    # The last of two boxes counts, and nothing behind the end does.
    ("", [[1, 0.25, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1], [1, 0, 0, 0, 0], [1, 0.25, 0.5, 0.5, 1]],
     [0, 0, 0, 0, -0.125, -0.5, 0.5]),
])
def test_errors_by_hand(options, labels, d):
    loss, dx = errors(options, np.ravel(labels)[None])
    np.testing.assert_allclose(dx, d, atol=1e-12)
    np.testing.assert_allclose(loss, np.square(d).sum())


@pytest.mark.parametrize("row, d", [
    ([-1, 2, 0, 0, 0, 0.5, 1, 0], [0, 0, 0, 0, 0.0625, 0, 0]),
    ([0, 2, 0, 0, 0, 0.5, 1, 0], [0.3125, 0, 5 * LOG2, 0, -0.0625, 0.5, -0.5]),  # -2 * 0.5 * 0.5^4
    ([0, 2, 0, 0, 0, 0.25, 1, 0], [0.46875, 0, 5, 0, -0.0625, 0.5, -0.5]),       # log 4 is above 1
    ([0, 2, 0, 0.5, 0.5, 0.5, 1, 0], [0, 0, 0, 0, 0.0625, 0, 0]),                # no area
])
def test_errors_of_intels_rows_by_hand(row, d):
    loss, dx = errors("", np.array(row, float)[None, None, None])
    np.testing.assert_allclose(dx, d, atol=1e-12)
    np.testing.assert_allclose(loss, np.square(d).sum())


@pytest.mark.parametrize("options, labels, d, factors", [
    ("", [[0, 0, 0, 0, 0]], [0, 0, 0, 0, 0.5, 0, 0], 1),
    # Half of the place: 2 - 0.5 is the weight, and the place is learnt with IoU 0.5.
    ("coord_scale: 1", [[1, 0.25, 0.5, 0.5, 1]], [0.375, 0, 1.5 * LOG2, 0, -0.5, 0.45, -0.45], 1),
    ("coord_scale: 1 label_smooth_eps: 0 class_scale: 2", [[1, 0.25, 0.5, 0.5, 1], [0, 0.5, 0.5, 1, 1]],
     [0, 0, 0, 0, -0.5, -1, -1], 1),  # the last box, and both classes
    ("use_logic_gradient: true object_scale: 3 coord_scale: 1", [[1, 0.25, 0.5, 0.5, 1]],
     [0.375, 0, 1.5 * LOG2, 0, -1.5, 0.45, -0.45], [0.25, 0.25, 1, 1, 0.25, 0.25, 0.25]),
    ("thresh: 0.4 mask: 1", [[1, 0.25, 0.5, 0.5, 1]], [0, 0, 0, 0, 0, 0, 0], 1)])
def test_errors_of_yolov3_by_hand(options, labels, d, factors):
    mask = "" if "mask" in options else "mask: 0"
    anchors = "biases: [8, 8, 8, 8]" if not mask else "biases: [8, 8]"  # the first of equal anchors is the best
    layer = build("Yolov3", [ZEROS, np.ravel(labels)[None]], "yolov3_param { num: 1 num_class: 2 anchors_scale: 8 "
                  f"{mask} {anchors} iou_thresh: {0.3 if mask else 1} {options} }}")
    loss, = layer.forward()
    np.testing.assert_allclose(loss, np.square(d).sum())
    dx, *_ = layer.backward([np.ones(())], [True, False])
    np.testing.assert_allclose(dx.ravel(), np.multiply(d, factors), atol=1e-12)


@pytest.mark.parametrize("logic", [False, True])
def test_the_published_gradient_of_yolov3_by_loops(logic):
    name = "Yolov3 logic" if logic else "Yolov3"
    case, x = CASES[name], PREDICTIONS
    layer = standalone(case.source, x, LISTS)
    layer.forward()
    dx = layer.backward([np.ones(())], [True, False])[0].reshape(2, 3, 8, 4, 5)
    wanted = np.zeros(dx.shape)
    for own, errors in zip(wanted, yolov3_errors(read_layer(case.source).yolov3_param, x, LISTS)):
        for (a, row, column), d in errors.items():
            own[a, :, row, column] = d
    s = 1 / (1 + np.exp(-x.reshape(dx.shape)))
    if logic:
        wanted *= np.where(np.isin(np.arange(8), (2, 3))[:, None, None], 1, s * (1 - s))
    np.testing.assert_allclose(dx, wanted / 2, atol=1e-12)


@pytest.mark.parametrize("threshold, count", [(0.33, 1), (0.34, 2)])
def test_what_yolov3_finds_by_hand(threshold, count):
    t = np.zeros((1, 7, 1, 2))
    t[0, 2, 0] = LOG2                   # boxes twice as wide as the cell, that is as the image, around 0.25 and 0.75
    t[0, 4:, 0] = [[LOG3, 0], [-9, 0], [LOG3, LOG3]]  # scores 0.75^2 and 0.5 * 0.75; the boxes share half of each
    layer = build("Yolov3DetectionOutput", [t], "yolov3_detection_output_param { num_classes: 2 num_box: 1 mask: 0 "
                  "mask_group_num: 1 anchors_scale: 32 biases: [32, 32] confidence_threshold: 0.3 "
                  f"nms_threshold: {threshold} }}")
    rows = [[0, 2, 0.5625, -0.25, 0, 0.75, 1], [0, 2, 0.375, 0.25, 0, 1.25, 1]]
    np.testing.assert_allclose(layer.forward()[0][0, 0], rows[:count], atol=1e-12)  # IoU 0.5 / 1.5


@pytest.mark.parametrize("options, loss, sums", [
    ("", 27.7742269, [1.566047, 2.732991, 4.015853, 3.139369, 5.179798, 2.062252, 1.593827]),
    ("use_logic_gradient: true", 32.868184, [0.336747, 0.481113, 4.015853, 3.139369, 1.37585, 0.448469, 0.362482])])
def test_yolov3_in_figures_of_the_program_of_mobilenet_yolo(options, loss, sums):
    x = 1.5 * np.sin(np.arange(168) ** 2.0).reshape(2, 14, 3, 2)
    labels = np.zeros((2, 1, 300, 5))
    labels[0, 0, :3] = [[1, 0.25, 0.3, 0.5, 0.4], [0, 0.8, 0.7, 0.3, 0.5], [0, 0.82, 0.72, 0.3, 0.45]]
    labels[1, 0, 0] = [1, 0.5, 0.5, 0.9, 0.9]
    layer = build("Yolov3", [x, labels], "yolov3_param { num: 2 num_class: 2 object_scale: 3 class_scale: 2 "
                  "coord_scale: 1.5 thresh: 0.4 anchors_scale: 32 iou_thresh: 0.3 biases: [20, 16, 40, 50, 14, 24] "
                  f"mask: [2, 1] {options} }}")
    np.testing.assert_allclose(layer.forward()[0], loss, rtol=1e-6)
    dx = layer.backward([np.ones(())], [True, False])[0].reshape(2, 2, 7, 3, 2)
    np.testing.assert_allclose(abs(dx).sum(axis=(0, 1, 3, 4)), sums, rtol=1e-5)


@pytest.mark.parametrize("places, d", [(None, [-1, 1]), ([[1.0]], [-1, 1]), ([[0.0]], [-2, 1]), ([[0.5]], [-5 / 3, 1])])
def test_a_segmentation_by_hand(places, d):
    values = [np.zeros((1, 1, 1, 2)), np.array([1.0, 0]).reshape(1, 1, 1, 2), *([] if places is None else [places])]
    layer = build("YoloSeg", values, "yolo_seg_param { object_scale: 2 }")
    np.testing.assert_allclose(layer.forward()[0], np.square(d).sum())
    np.testing.assert_allclose(layer.backward([np.ones(())], [True] + [False] * len(values[1:]))[0].ravel(), d)


def test_a_class_that_is_everywhere():
    with pytest.raises(DataError, match="expected fewer than 64 places of each class, got 64"):
        build("YoloSeg", [np.zeros((1, 1, 8, 8))] * 2 + [np.array([[64.0]])], "").forward()


def test_two_images_share_the_gradient_but_intels_do_not_share_the_loss():
    twice = np.concatenate([ZEROS, ZEROS])
    for labels, loss in ((np.zeros((2, 5)), 0.0625 ** 2), (np.full((1, 1, 1, 8), -1), 2 * 0.0625 ** 2)):
        found, dx = errors("", labels, twice)
        np.testing.assert_allclose(found, loss)
        np.testing.assert_allclose(dx[[4, 11]], 0.03125)


def test_a_prediction_that_overlaps_enough_is_no_background():
    tall = np.zeros((1, 7, 2, 1))
    labels = np.array([[1, 0.5, 0.3, 1, 0.6]])  # reaches from 0 to 0.6; the lower box from 0.5 to 1: 0.1 / 1
    for thresh, d in ((0.05, 0), (0.15, 0.0625)):
        assert errors(f"thresh: {thresh}", labels, tall)[1].reshape(7, 2)[4, 1] == d


@pytest.mark.parametrize("labels, words", [
    ([[2, 0.5, 0.5, 1, 1]], "one of 2 classes, got image 0, label 2, x y w h 0.5 0.5 1 1"),
    ([[0.5, 0.5, 0.5, 1, 1]], "label 0.5"), ([[-1, 0.5, 0.5, 1, 1]], "label -1"),
    ([[0, 1, 0.5, 1, 1]], "x y w h 1 0.5 1 1"), ([[0, -0.1, 0.5, 1, 1]], "x y w h -0.1"),
    ([[0, math.nan, 0.5, 1, 1]], "x y w h nan"), ([[0, 0.5, 0.5, math.inf, 1]], "x y w h 0.5 0.5 inf"),
    ([[[[1, 1, 0, 0, 0, 1, 1, 0]]]], "middle in one of 1 images, .*got image 1"),
    ([[[[0, 0, 0, 0, 0, 1, 1, 0]]]], "label -1"), ([[[[-2, 1, 0, 0, 0, 1, 1, 0]]]], "image -2")])
def test_true_boxes_that_are_none(labels, words):
    with pytest.raises(DataError, match=words):
        errors("", np.array(labels, float))


@pytest.mark.parametrize("value", [1e30, -1e30, math.inf, math.nan])
def test_a_net_that_diverges_ends_in_no_crash(value):
    errors("", np.array([[1, 0.25, 0.5, 0.5, 1]]), np.full((1, 7, 1, 1), value))
    build("EvalDetection", [np.full((1, 7, 1, 1), value), np.full((1, 1, 1, 8), -1)], "eval_detection_param { side: 1 "
          "num_class: 2 num_object: 1 biases: 1 biases: 1 nms: 0.5 }").forward()
    build("EvalDetection", [np.full((1, 7), value), np.ones((1, 7))], "eval_detection_param { side: 1 num_class: 2 "
          "num_object: 1 }").forward()


def judged(options, x, labels):
    options = f"eval_detection_param {{ side: 1 num_class: 2 num_object: 1 {options} }}"
    top, = build("EvalDetection", [x, labels], options).forward()
    return top.ravel().tolist()


SURE = np.array([0, 0, 0, 0, 0, 0, LOG3]).reshape(1, 7, 1, 1)  # class 1 with 0.75, objectness 0.5


@pytest.mark.parametrize("options, row, top", [
    ("", [0, 2, 0, 0, 0, 1, 1, 0], [0, 1, 1, 0.375, 1, 0]),
    ("score_type: OBJ", [0, 2, 0, 0, 0, 1, 1, 0], [0, 1, 1, 0.5, 1, 0]),
    ("score_type: PROB", [0, 2, 0, 0, 0, 1, 1, 0], [0, 1, 1, 0.75, 1, 0]),
    ("", [0, 1, 0, 0, 0, 1, 1, 0], [1, 0, 1, 0.375, 0, 1]),      # no true box of its class
    ("", [0, 2, 0, 0, 0, 0.4, 1, 0], [0, 1, 1, 0.375, 0, 0]),    # overlaps by 0.4
    ("threshold: 0.4", [0, 2, 0, 0, 0, 0.5, 1, 0], [0, 1, 1, 0.375, 1, 0]),
    ("", [-1, 2, 0, 0, 0, 1, 1, 0], [0, 0, 1, 0.375, 0, 1]),
    ("nms: -1", [0, 2, 0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 0, 0])])
def test_detections_of_yolov2_by_hand(options, row, top):
    options = (options if "nms" in options else f"{options} nms: 0.5") + " biases: 1 biases: 1"
    np.testing.assert_allclose(judged(options, SURE, np.array(row, float)[None, None, None]), top)


@pytest.mark.parametrize("options, labels, top", [
    ("", [0, 1, 1, 0.5, 0.5, 1, 1], [0, 1, 1, 0.35, 1, 0]),
    ("", [1, 1, 1, 0.5, 0.5, 1, 1], [0, 0, 1, 0.35, 0, 0]),        # difficult
    ("", [0, 0, 1, 0.5, 0.5, 1, 1], [0, 0, 1, 0.35, 0, 1]),        # none there
    ("score_type: OBJ", [0, 1, 0, 0.5, 0.5, 1, 1], [1, 0, 1, 0.5, 0, 1]),
    ("", [0, 1, 1, 0.5, 0.5, 0.4, 1], [0, 1, 1, 0.35, 0, 1]),      # the box is 0.81 x 1
    ("", [0, 1, 1, 0.5, 0.5, 0.41, 1], [0, 1, 1, 0.35, 1, 0]),
    ("sqrt: false", [0, 1, 1, 0.5, 0.5, 0.46, 1], [0, 1, 1, 0.35, 1, 0])])
def test_detections_of_yolo_by_hand(options, labels, top):
    x = [[0.3, 0.7, 0.5, 0.5, 0.5, 0.9, 1]]
    np.testing.assert_allclose(judged(options, np.array(x), np.array([labels], float)), top)


def test_a_class_that_is_none():
    with pytest.raises(DataError, match="expected classes from 0 to 1, got .2.0."):
        judged("", np.ones((1, 7)), np.array([[0, 1, 2, 0.5, 0.5, 1, 1]]))


def test_biases_tell_the_second_version():
    kinds = [class_of(parse(f'layer {{ type: "EvalDetection" eval_detection_param {{ {options} }} }}', "NetParameter")
                      .layer[0]).__name__ for options in ("", "biases: 1")]
    assert kinds == ["EvalDetection", "RegionEvalDetection"]


def test_a_node_is_an_inner_product_and_a_unit():
    rng = np.random.default_rng(4)
    x, last, cont, dh, dc = (rng.normal(size=shape) for shape in ((3, 4), (3, 2), (3,), (3, 2), (3, 2)))
    cont = np.array([1, 0, 1.0])
    fillers = " ".join(f'{gate}_{kind}_filler {{ type: "gaussian" }}' for kind in ("weight", "bias")
                       for gate in ("input", "input_gate", "forget_gate", "output_gate"))
    node = build("LSTMNode", [x, last, cont], f"lstmnode_param {{ num_cells: 2 {fillers} }}", "h c")
    weights, bias = (blob.data.copy() for blob in node.layer.blobs)
    unit = build("LSTMUnit", [last[None], (x @ weights.T + bias)[None], cont[None]], "", "c h")
    h, c = node.forward()
    for own, other in zip((c, h), unit.forward()):
        np.testing.assert_allclose(own, other[0], rtol=1e-12)
    dx, dlast, _ = node.backward([dh, dc], [True, True, False])
    dlast_of_unit, dz, _ = unit.backward([dc[None], dh[None]], [True, True, False])
    np.testing.assert_allclose(dx, dz[0] @ weights, rtol=1e-12)
    np.testing.assert_allclose(dlast, dlast_of_unit[0], rtol=1e-12)


def test_every_gate_has_its_fillers():
    options = " ".join(f'{gate}_weight_filler {{ value: {k} }} {gate}_bias_filler {{ value: {-k} }}' for k, gate in
                       enumerate(("input_gate", "forget_gate", "output_gate", "input"), 1))
    node = build("LSTMNode", [np.ones((1, 3)), np.ones((1, 2))], f"lstmnode_param {{ num_cells: 2 {options} }}", "h c")
    weights, bias = (blob.data for blob in node.layer.blobs)
    assert weights[:, 0].tolist() == [1, 1, 2, 2, 3, 3, 4, 4] == (-bias).tolist() and (weights == weights[:, :1]).all()


def test_lists_of_any_form_are_no_rows_of_ssd():
    """40 numbers of an image are eight boxes, however they are folded: (2, 5, 8) as (2, 40)."""
    labels = np.zeros((2, 8, 5))
    labels[:, 0] = 3, 0.25, 0.5, 0.1, 0.2
    flat, folded = (true_boxes(labels.reshape(shape), 2, 20, "here") for shape in ((2, 40), (2, 5, 8)))
    assert folded.label.tolist() == flat.label.tolist() == [3, 3] and folded.image.tolist() == [0, 1]
    np.testing.assert_array_equal(folded.box, flat.box)
