"""What detectors find, and average precision by the rule of VOC 2007, in figures that were worked out by hand."""

import math

import numpy as np
import pytest

from blobnet.recipes.detections import class_precision, regions_found
from blobnet.solvers.average_precision import average_precision


@pytest.mark.parametrize("scores, right, count, expected", [
    ([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], 2, (6 + 5 * 2 / 3) / 11),
    ([0.6, 0.7, 0.8, 0.9], [0, 1, 0, 1], 2, (6 + 5 * 2 / 3) / 11),
    ([0.9, 0.8], [1, 1], 2, 1), ([0.9], [1], 10, 2 / 11),  # recalls 0 and 0.1
    ([0.9, 0.8], [0, 1], 1, 0.5), ([0.9], [0], 3, 0), ([], [], 3, 0), ([0.9], [0], 0, 0)])
def test_average_precision(scores, right, count, expected):
    assert average_precision(np.array(scores), np.array(right), count, "11point") == pytest.approx(expected)


def test_ten_of_ten_reach_every_recall():
    """Recall 3/10 is 0.3, whatever its bits are."""
    assert average_precision(np.arange(10, 0, -1), np.ones(10), 10, "11point") == 1


def test_precision_of_a_class():
    truth = [np.array([[1, 0, 0, 10, 10], [2, 0, 0, 10, 10]]), np.array([[1, 20, 20, 30, 30]])]
    found = [np.array([[1, 0.9, 0, 0, 10, 9], [1, 0.8, 1, 0, 10, 10], [2, 0.7, 5, 0, 15, 10]]),  # a hit, the same again
             np.array([[1, 0.7, 20, 20, 30, 26]])]                                               # a hit by 0.6
    assert class_precision(found, truth, 1) == pytest.approx((6 + 5 * 2 / 3) / 11)
    assert class_precision(found, truth, 2) == 0  # overlaps by a third
    assert class_precision([np.zeros((0, 6))], [np.zeros((0, 5))], 1) == 0


def test_regions_found():
    regions = np.array([[10, 10, 30, 50], [11, 10, 31, 50], [0, 0, 10, 10.0]])
    probabilities = np.array([[0.1, 0.9, 0], [0.3, 0.6, 0.1], [0.5, 0.04, 0.46]])
    offsets = np.zeros((3, 12))
    offsets[0, 4:8] = [1, 0, math.log(2) / 0.2, 0]      # 0.1 * 20 to the right, twice as wide
    offsets[2, 8:12] = [0, 0, 0, math.log(20) / 0.2]    # beyond the image
    found = regions_found(regions, probabilities, offsets, (0.1, 0.1, 0.2, 0.2), (60, 100))
    np.testing.assert_allclose(found, [[1, 0.9, 2, 10, 42, 50], [2, 0.46, 0, 0, 10, 60], [2, 0.1, 11, 10, 31, 50]])
    apart = regions_found(regions, probabilities, offsets, (0.1, 0.1, 0.2, 0.2), (60, 100), overlap=0.5)
    assert (apart[:, 0] == 1).sum() == 2  # the boxes of class 1 overlap by 0.5
