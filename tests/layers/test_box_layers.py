"""Layers that work with boxes: figures, and what they refuse."""

import re

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import BlobnetError, DataError, NetError, ParseError, ShapeError

MAP = np.arange(2 * 1 * 4 * 4.0).reshape(2, 1, 4, 4)
BOX = np.array([[1, 0, 0, 3, 3]])
GRID = "roi_pooling_param { pooled_h: 2 pooled_w: 2 }"
PS = "spatial_scale: 1 output_dim: 1"

REFUSED = [  # type, bottoms, options, error, parts of the message
    ("ROIPooling", [MAP, BOX], "", NetError, "expected pooled_h and pooled_w above 0, got (0, 0)"),
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
