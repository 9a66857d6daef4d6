"""The layers of SSD: what they refuse, and rows of detections in a net."""

import numpy as np
import pytest
from cases_ssd import FOUR, OFFSETS, PRIORS, RAW, SCORES, TRUTH
from layer_rows import build

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
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
    ("MultiBoxLoss", LEARN, "num_classes: 4 background_label_id: 4", NetError, "below num_classes (4), got 4"),
    ("MultiBoxLoss", [*LEARN[:3], TRUTH[0]], "num_classes: 4", ShapeError, "truth (1, 1, G, 8), got (1, 7, 8)"),
    ("MultiBoxLoss", LEARN, "num_classes: 4 background_label_id: 3", DataError,
     "labels of true boxes below num_classes 4, other than the background's, 3, got 3"),
    ("MultiBoxLoss", [*LEARN[:3], NEGATIVE], "num_classes: 4", DataError, "labels of true boxes got -2"),
    ("MultiBoxLoss", [OFFSETS, RAW[:, :54], PRIORS, TRUTH], "num_classes: 3", DataError, "num_classes 3 got 3"),
    ("MultiBoxLoss", [OFFSETS, RAW, FLAT, TRUTH], "num_classes: 4", DataError, "variances above 0"),
]
FIELDS = {"DetectionOutput": "detection_output_param", "MultiBoxLoss": "multibox_loss_param"}


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
