"""The layers of SSD: what they refuse, and rows of detections in a net."""

import numpy as np
import pytest
from cases_ssd import FOUND, FOUR, OFFSETS, PRIORS, RAW, SCORES, SEEN, TRUTH
from layer_rows import build

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import DataError, MissingFile, NetError, ShapeError
from blobnet.layers.detection._sizes import in_pixels, pixel_overlaps
from blobnet.proto.text import parse

BOTTOMS = [OFFSETS, SCORES, PRIORS]
LEARN = [OFFSETS, RAW, PRIORS, TRUTH]
NEGATIVE = np.where(TRUTH == 3, -2, TRUTH)
FLAT = PRIORS.copy()
FLAT[0, 1] = 0

REFUSED = [  # type, bottoms, options, error, parts of the message
    ("DetectionOutput", BOTTOMS, "", NetError, "expected num_classes of at least 1, got 0; num_classes: …"),
    ("DetectionOutput", BOTTOMS, "num_classes: 3 nms_param { nms_threshold: -1 }", NetError, "nms_threshold got -1"),
    ("DetectionOutput", BOTTOMS, "num_classes: 3 nms_param { eta: 0 }", NetError, "eta in (0, 1], got 0"),
    ("DetectionOutput", BOTTOMS, "num_classes: 4", ShapeError,
     "scores of shape (2, 72), 4 for each of 18 priors, got (2, 54)"),
    ("DetectionOutput", BOTTOMS, "num_classes: 3 share_location: false", ShapeError,
     "offsets of shape (2, 216), 12 for each of 18 priors, got (2, 72)"),
    ("DetectionOutput", [OFFSETS, SCORES[:1], PRIORS], "num_classes: 3", ShapeError, "got (1, 54)"),
    ("DetectionOutput", [OFFSETS, SCORES, PRIORS[0]], "num_classes: 3", ShapeError, "(1, 2, 4P) got (2, 72); Concat"),
    ("MultiBoxLoss", LEARN, "", NetError, "expected num_classes of at least 1, got 0"),
    ("MultiBoxLoss", LEARN, "num_classes: 3", ShapeError, "scores of shape (2, 54), 3 for each of 18 got (2, 72)"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 do_neg_mining: false", NetError, "do_neg_mining: true got false"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 share_location: false", NetError,
     "mining_type: NONE where share_location is false, got MAX_NEGATIVE"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 map_object_to_agnostic: true", NetError, "num_classes: 2 got 4"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 neg_pos_ratio: nan", NetError, "neg_pos_ratio below 1e+06, got nan"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 background_label_id: 4", NetError, "below num_classes (4), got 4"),
    ("MultiBoxLoss", [*LEARN[:3], TRUTH[0]], "num_classes: 4", ShapeError, "truth (1, 1, G, 8), got (1, 7, 8)"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 background_label_id: 3", DataError,
     "labels of true boxes below num_classes 4, other than the background's, 3, got 3"),
    ("MultiBoxLoss", [*LEARN[:3], NEGATIVE], "num_classes: 4", DataError, "labels of true boxes got -2"),
    ("MultiBoxLoss", [OFFSETS, RAW[:, :54], PRIORS, TRUTH], "num_classes: 3", DataError, "num_classes 3 got 3"),
    ("MultiBoxLoss", [OFFSETS, RAW, FLAT, TRUTH], "num_classes: 4", DataError, "variances above 0"),
    ("DetectionEvaluate", [FOUND, SEEN], "", NetError, "num_classes from 1 to 1048576, got 0"),
    ("DetectionEvaluate", [FOUND, SEEN], "num_classes: 2147483647", NetError, "1048576, got 2147483647"),
    ("DetectionEvaluate", [FOUND, SEEN], "num_classes: 4 overlap_threshold: 0", NetError, "overlap_threshold above 0"),
    ("DetectionEvaluate", [FOUND, SEEN], "num_classes: 4 resize_param { height: 3 }", NetError, "width above 0"),
    ("DetectionEvaluate", [SEEN, SEEN], "num_classes: 4", ShapeError, "(1, 1, rows, 7), got (1, 1, 6, 8)"),
    ("DetectionEvaluate", [FOUND, SEEN], "num_classes: 4 background_label_id: 3", DataError,
     "labels of objects in both bottoms, got the background's, 3"),
]
FIELDS = {"DetectionOutput": "detection_output_param", "MultiBoxLoss": "multibox_loss_param",
          "DetectionEvaluate": "detection_evaluate_param"}


@pytest.mark.parametrize(("kind", "values", "options", "error", "parts"), REFUSED)
def test_refused(kind, values, options, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, f"{FIELDS[kind]} {{ {options} }}").forward()
    message, position = str(caught.value), 0
    assert message.startswith(f"layer 'it' ({kind}): ")
    for part in parts.split():
        position = message.index(part, position) + len(part)


def test_the_number_of_rows_reaches_the_next_layer():
    """It is known only in forward, and another batch has another."""
    shapes = [f"shape {{ {' '.join(f'dim: {size}' for size in array.shape)} }}" for array in (OFFSETS, FOUR, PRIORS)]
    net = Net(parse(f"""
        layer {{ name: "in" type: "Input" top: "d" top: "s" top: "p" input_param {{ {' '.join(shapes)} }} }}
        layer {{ name: "out" type: "DetectionOutput" bottom: "d" bottom: "s" bottom: "p" top: "rows"
                 detection_output_param {{ num_classes: 4 confidence_threshold: 0.4 }} }}
        layer {{ name: "power" type: "Power" bottom: "rows" top: "y" power_param {{ scale: 2 }} }}
        """, "NetParameter"), TEST)
    counts = []
    for scores in (FOUR, FOUR / 3, FOUR):
        net.forward(d=OFFSETS, s=scores, p=PRIORS)
        np.testing.assert_array_equal(net.blobs["y"].data, 2 * net.blobs["rows"].data)
        counts.append(net.blobs["rows"].shape)
    assert counts[0] == counts[2] != counts[1] == (1, 1, 2, 7)


def test_published_gradient_lacks_the_variance():
    options = "num_classes: 4 code_type: CENTER_SIZE encode_variance_in_target: true gradient:"
    slopes = []
    for gradient in ("PUBLISHED", "EXACT"):
        alone = build("MultiBoxLoss", LEARN, f"multibox_loss_param {{ {options} {gradient} }}")
        alone.forward()
        slopes.append(alone.backward([np.float64(1)], [True, True, False, False])[0].reshape(2, -1))
    assert slopes[0].any()
    np.testing.assert_allclose(slopes[0], slopes[1] * PRIORS[0, 1])


def test_priors_that_learn_are_refused_and_told_how():
    alone = build("MultiBoxLoss", LEARN, "multibox_loss_param { num_classes: 4 }")
    alone.forward()
    with pytest.raises(NetError, match="bottom 2 'x2'.* propagate_down: true propagate_down: false"):
        alone.backward([np.float64(1)], [True] * 4)


def pixels(tmp_path, threshold, found, truth, more="", lines=("a 10 20", "b 100 50")):
    """tp and fp of detections [image, class, score, box] in images of 20 x 10 and 50 x 100 pixels."""
    (tmp_path / "sizes").write_text("\n".join(lines))
    truth = [[*row[:2], 0, *row[2:], 0] for row in truth]
    alone = build("DetectionEvaluate", [np.array([[found]]), np.array([[truth]])], "detection_evaluate_param { "
                  f'num_classes: 2 overlap_threshold: {threshold} name_size_file: "{tmp_path}/sizes" {more} }}')
    return alone.forward()[0][0, 0, 1:, 3:].tolist()


@pytest.mark.parametrize(("threshold", "box", "hit"), [
    (0.31, [0.3, 0.3, 0.5, 0.7], True),   # 5 x 5 pixels each, 3 x 4 = 12 in common: 12 / 38
    (0.32, [0.3, 0.3, 0.5, 0.7], False),
    (0.02, [0.8, 0.8, 1, 1.4], True),     # clipped to 5 x 3; far away, 1 pixel all the same: 1 / 39
    (0.026, [0.8, 0.8, 1, 1.4], False),
])
def test_boxes_in_pixels(tmp_path, threshold, box, hit):
    assert pixels(tmp_path, threshold, [[0, 1, 0.9, *box]], [[0, 1, 0.2, 0.2, 0.4, 0.6]]) == [[hit, not hit]]


def test_the_second_image_has_the_second_size(tmp_path):
    """6 of 15 pixels are in common in the first, 66 of 231 in the second."""
    found = [[n, 1, 0.9, 0, 0, 0.2, 0.2] for n in (0, 1)]
    truth = [[n, 1, 0, 0, 0.1, 0.1] for n in (0, 1)]
    assert pixels(tmp_path, 0.35, found, truth) == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("resize", "boxes", "areas", "share"), [
    ("", [[0, 3, 4, 5], [0, 3, 2, 4]], [15, 6], 6 / 15),
    ("height: 30 width: 30", [[0, 3, 4, 5], [0, 3, 2, 4]], [15, 6], 6 / 15),
    ("resize_mode: FIT_SMALL_SIZE height: 30 width: 30", [[0, 3, 4, 5], [0, 3, 2, 4]], [15, 6], 6 / 15),
    # without a pixel more than the corners say, but the common part has them: 3 / (2 + 0.5 - 3)
    ("resize_mode: FIT_SMALL_SIZE height: 30 width: 30 height_scale: 5 width_scale: 10",
     [[0, 1.5, 2, 2.5], [0, 1.5, 1, 2]], [2, 0.5], -6),
    # borders of a quarter at the top and the bottom
    ("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 30 width: 30", [[0, 1, 4, 5], [0, 1, 2, 3]], [25, 9], 9 / 25),
    ("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 45 width: 100",  # of 5 % at the left and right
     [[0, 3, 10 / 3, 5], [0, 3, 10 / 9, 4]], [13, 38 / 9], 38 / 117),
])
def test_parts_of_resized_images(resize, boxes, areas, share):
    """An image of 20 x 10 pixels."""
    message = parse(resize, "ResizeParameter") if resize else None
    (one, area), (other, size) = (in_pixels(np.array([box]), (10, 20), message)
                                  for box in ([0, 0.3, 0.2, 0.5], [0, 0.3, 0.1, 0.4]))
    np.testing.assert_allclose([one[0], other[0]], boxes)
    np.testing.assert_allclose([area[0], size[0]], areas)
    np.testing.assert_allclose(pixel_overlaps(one, area, other, size), [[share]])


def test_a_box_in_the_border_stays_as_it_is():
    resize = parse("resize_mode: FIT_LARGE_SIZE_AND_PAD height: 30 width: 30", "ResizeParameter")
    assert in_pixels(np.array([[0, 0, 0.2, 0.2]]), (10, 20), resize)[0].tolist() == [[0, 0, 4, 2]]


@pytest.mark.parametrize("line", ["a 10", "a 10 -3", "a x 3"])
def test_a_wrong_list_of_sizes(tmp_path, line):
    with pytest.raises(DataError, match=r'sizes:2: expected "name height width"'):
        pixels(tmp_path, 0.5, [[0, 1, 0.9, 0, 0, 1, 1]], [[0, 1, 0, 0, 1, 1]], lines=["a 10 20", line])


def test_without_the_list_of_sizes_the_net_builds():
    alone = build("DetectionEvaluate", [FOUND, SEEN], "detection_evaluate_param { num_classes: 4 "
                  'name_size_file: "no" }')
    with pytest.raises(MissingFile):
        alone.forward()


def test_one_true_box_and_priors_that_reach_outside():
    priors = PRIORS.copy()
    priors[0, 0, :4] = -1, -1, 0.5, 0.5
    alone = build("MultiBoxLoss", [OFFSETS, RAW, priors, TRUTH[:, :, 1:2]],
                  "multibox_loss_param { num_classes: 4 ignore_cross_boundary_bbox: true }")
    assert np.isfinite(alone.forward()[0])
