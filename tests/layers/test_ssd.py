"""The layers of SSD: what they refuse, and rows of detections in a net."""

import numpy as np
import pytest
from cases_ssd import FOUR, OFFSETS, PRIORS, SCORES
from layer_rows import build

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

BOTTOMS = [OFFSETS, SCORES, PRIORS]

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
]
FIELDS = {"DetectionOutput": "detection_output_param"}


@pytest.mark.parametrize(("kind", "values", "options", "error", "parts"), REFUSED)
def test_refused(kind, values, options, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, f"{FIELDS[kind]} {{ {options} }}")
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
