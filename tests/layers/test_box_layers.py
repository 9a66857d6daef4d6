"""Layers that work with boxes: figures, and what they refuse."""

import re

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import BlobnetError, DataError, NetError, ParseError, ShapeError
from blobnet.layers.detection._suppression import apart

MAP = np.arange(2 * 1 * 4 * 4.0).reshape(2, 1, 4, 4)
BOX = np.array([[1, 0, 0, 3, 3]])
GRID = "roi_pooling_param { pooled_h: 2 pooled_w: 2 }"
PS = "spatial_scale: 1 output_dim: 1"
SCORES, SHIFTS, INFO = np.zeros((1, 4, 2, 2)), np.zeros((1, 8, 2, 2)), np.array([[40, 40, 1, 1]])
ANCHORS = "proposal_param { ratio: 1 scale: 1 scale: 0.5 feat_stride: 10 nms_thresh: 0.6 }"

REFUSED = [  # type, bottoms, options, error, parts of the message
    ("ROIPooling", [MAP, BOX], "", NetError, "expected pooled_h and pooled_w from 1 to 1024, got (0, 0)"),
    ("ROIPooling", [MAP, BOX], "roi_pooling_param { pooled_h: 2 pooled_w: 2000 }", NetError, "1024, got (2, 2000)"),
    ("ROIPooling", [MAP[0], BOX], GRID, ShapeError, "expected maps (N, C, H, W), got (1, 4, 4)"),
    ("ROIPooling", [MAP, BOX[:, 1:]], GRID, ShapeError, "boxes 'x1' expected (R, 5) got (1, 4)"),
    ("ROIPooling", [MAP, BOX + [1, 0, 0, 0, 0]], GRID, DataError,
     "box 0 of 'x1' expected the number of an image in 0 ... 1, got 2"),
    ("ROIPooling", [MAP, BOX - [0.5, 0, 0, 0, 0]], GRID, DataError, "'x1' at [0] expected a whole number got 0.5"),
    ("ROIPooling", [MAP, BOX * [1, 1, 1, 1, np.nan]], GRID, DataError, "box 0 of 'x1' expected finite numbers"),
    ("PSROIPooling", [MAP, BOX], "", NetError, "expected output_dim and group_size above 0, got (0, 0)"),
    ("PSROIPooling", [MAP, BOX], f"psroi_pooling_param {{ {PS} group_size: 2 }}", ShapeError,
     "expected 4 channels, output_dim 1 * group_size 2 ^ 2, got (2, 1, 4, 4)"),
    ("PSROIPooling", [MAP, BOX], f"psroi_pooling_param {{ {PS} }}", ParseError,
     "psroi_pooling_param needs a value for 'group_size'"),
    ("PriorBox", [MAP, MAP], "", NetError, "expected one min_size or more, above 0, got none"),
    *(("PriorBox", [MAP, MAP], f"prior_box_param {{ min_size: 4 {options} }}", NetError, words) for options, words in [
        ("min_size: -1", "above 0, got [4.0, -1.0]"),
        ("max_size: 3", "expected no max_size, or a larger one for each min_size [4.0] got [3.0]"),
        ("min_size: 5 max_size: 6", "for each min_size [4.0, 5.0] got [6.0]"),
        ("variance: 1 variance: 2", "expected variance once or four times, above 0, got [1.0, 2.0]"),
        ("aspect_ratio: 0", "expected aspect_ratio above 0, got 0.0"),
        ("img_h: 3", "expected img_size, or img_h and img_w, above 0, got img_h: 3"),
        ("step: 3 step_h: 4 step_w: 5", "expected step, or step_h and step_w, above 0, got step: 3, step_h: 4"),
        ("img_size: 0", "above 0, got img_size: 0"),
    ]),
    ("PriorBox", [MAP, np.ones((2, 3, 0, 4))], "prior_box_param { min_size: 4 }", ShapeError,
     "bottom 1 'x1' expected 4 axes (N, C, H, W) with H and W above 0, got (2, 3, 0, 4)"),
    ("Proposal", [SCORES, SHIFTS, INFO], "", NetError, "expected ratio and scale, one or more, above 0, got ([], [])"),
    ("Proposal", [SCORES[:, 1:], SHIFTS, INFO], ANCHORS, ShapeError,
     "bottom 0 'x0' expected (1, 4, H, W), of one image and 2 anchors got (1, 3, 2, 2)"),
    ("Proposal", [SCORES, SHIFTS[..., 1:], INFO], ANCHORS, ShapeError,
     "bottom 1 'x1' expected (1, 8, H, W) got (1, 8, 2, 1)"),
    ("Proposal", [SCORES, SHIFTS, INFO[:, :2]], ANCHORS, ShapeError,
     "bottom 2 'x2' expected (1, 4): height and width of the image, and their scales got (1, 2)"),
]


@pytest.mark.parametrize("kind, values, options, error, words", REFUSED)
def test_refused(kind, values, options, error, words):
    with pytest.raises(error) as caught:
        build(kind, values, options).forward()
    assert isinstance(caught.value, BlobnetError)
    assert re.search(".*".join(map(re.escape, re.split(r"(?<=,) | (?=expected|got)", words))), str(caught.value))


@pytest.mark.parametrize("box, expected", [
    ([1, 0, 0, 3, 3], [21, 23, 29, 31]),
    ([0, 1.5, 0.5, 1.5, 2.5], [10, 10, 14, 14]),     # halves: column 2, rows 1 to 3
    ([0, -0.5, 0, -0.5, 0], [0, 0, 0, 0]),           # column -1, which is not there
    ([0, 1e9, 0, 2e9, 3], [0, 0, 0, 0]),
    ([1, 2, 2, 1, 0], [26, 26, 26, 26]),             # at least one row and column
])
def test_maxima_of_a_box(box, expected):
    assert build("ROIPooling", [MAP, np.array([box])], GRID).forward()[0].ravel().tolist() == expected


def test_boxes_of_a_layer_that_learns_get_the_gradient_0():
    pool = build("ROIPooling", [MAP, BOX], GRID)
    pool.forward()
    assert not pool.backward([np.ones((1, 1, 2, 2))], [True, True])[1].any()


@pytest.mark.parametrize("box, expected", [
    ([1, 0, 0, 3, 3], [[18.5, 20.5], [26.5, 28.5]]),
    ([0, 1.5, 0, 1.5, 1], [[2, 2], [6, 6]]),         # column 2 for both
    ([0, -9, 0, -7, 1], [[0, 0], [0, 0]]),
])
def test_means_of_a_box(box, expected):
    pool = build("PSROIPooling", [np.repeat(MAP, 4, axis=1) + np.arange(4)[:, None, None] * 100, np.array([box])],
                 f"psroi_pooling_param {{ {PS} group_size: 2 }}")
    channels = np.arange(4).reshape(2, 2) * 100 * (np.sum(expected) > 0)
    np.testing.assert_allclose(pool.forward()[0][0, 0], channels + expected)


def test_sizes_of_prior_boxes():
    """Whole pixels; the square of each size, one between it and the next, then the ratios, none of them twice."""
    options = "min_size: 4.9 max_size: 9.9 aspect_ratio: 4 aspect_ratio: 1 aspect_ratio: 0.25"
    boxes = build("PriorBox", [np.ones((1, 1, 1, 1)), np.ones((1, 1, 10, 20))], f"prior_box_param {{ {options} }}")
    y = boxes.forward()[0]
    x1, y1, x2, y2 = (y[0, 0].reshape(-1, 4) * [20, 10, 20, 10]).T
    np.testing.assert_allclose([x2 - x1, y2 - y1], [[4, 6, 8, 2], [4, 6, 2, 8]], rtol=1e-12)
    np.testing.assert_allclose([x2 + x1, y2 + y1], [[20] * 4, [10] * 4], rtol=1e-12)
    np.testing.assert_allclose(y[0, 1], 0.1)


def test_nothing_is_learnt_through_prior_boxes():
    boxes = build("PriorBox", [MAP, MAP], "prior_box_param { min_size: 4 }")
    boxes.forward()
    assert not any(diff.any() for diff in boxes.backward([np.ones(boxes.top[0].shape)], [True, True]))


def test_proposals():
    """Anchors of 16 and 8 pixels. The smaller ones are below min_size; one of the others moves onto its neighbour."""
    scores, shifts = SCORES.copy(), SHIFTS.copy()
    scores[0, 2] = [[0.1, 0.4], [0.3, 0.2]]
    scores[0, 3] = 0.9
    shifts[0, 0, 1, 0], shifts[0, 3, 0, 1] = 10 / 16, np.log(2)
    layer = build("Proposal", [scores, shifts, INFO], ANCHORS, "boxes scores")
    assert [top.shape for top in layer.top] == [(300, 5), (300,)]
    boxes, best = layer.forward()
    np.testing.assert_allclose(best, [0.4, 0.3, 0.1, 0, 0, 0, 0], rtol=1e-12)
    np.testing.assert_allclose(boxes[:3, 1:], [[10, 0, 26, 24], [10, 10, 26, 26], [0, 0, 16, 16]], rtol=1e-12)
    assert not any(diff.any() for diff in layer.backward([np.ones(top.shape) for top in layer.top], [True] * 3))


def test_boxes_that_touch_overlap_by_a_pixel():
    """Sides are x2 - x1 + 1 long; only boxes with a pixel between them have nothing in common."""
    boxes = np.array([[0.0, 0, 4, 4], [4, 0, 8, 4], [8.5, 0, 9, 4], [0, 0, 4, 4]])
    assert apart(boxes, 0.1, 9) == [0, 2]
    assert apart(boxes, 0.2, 9) == [0, 1, 2]
    assert apart(boxes, 1, 9) == [0, 1, 2, 3]
    assert apart(boxes, 0.1, 1) == [0]


def test_boxes_beyond_all_numbers_are_empty():
    options = 'psroi_pooling_param { spatial_scale: 1e38 output_dim: 1 group_size: 2 }'
    alone = build("PSROIPooling", [np.ones((1, 4, 3, 3)), [[0, 0, 0, 5, 5]]], options, dtype="float32")
    with np.errstate(all="ignore"):
        assert np.isfinite(alone.forward()[0]).all()
