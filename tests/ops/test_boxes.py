"""Boxes against figures worked out by hand."""

import numpy as np
import pytest

from blobnet.ops.boxes import areas, decode, encode, hits, match, overlaps, suppress

UNIT = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [2, 0, 4, 2], [0, 0, 2, 1], [3, 0, 1, 2]])


def test_areas_and_overlaps():
    assert areas(UNIT).tolist() == [4, 4, 4, 2, 0]
    np.testing.assert_allclose(overlaps(UNIT[:2], UNIT), [[1, 1 / 7, 0, 1 / 2, 0], [1 / 7, 1, 1 / 7, 0, 0]])
    assert overlaps(UNIT[:0], UNIT).shape == (0, 5)


WIDE, HIGH = 2 * np.e, 1.5 * np.exp(0.4)  # half of the size: that of the prior is 4 x 3


@pytest.mark.parametrize("code, box", [
    ("CORNER", [2.1, 2.2, 7, 5.4]), ("CORNER_SIZE", [2.4, 2.6, 10, 6.2]),
    ("CENTER_SIZE", [4.4 - WIDE, 4.1 - HIGH, 4.4 + WIDE, 4.1 + HIGH]),
])
def test_offsets(code, box):
    prior, offsets, variances = np.array([[2.0, 2, 6, 5], [1, 2, 5, 1], [0.1, 0.1, 0.2, 0.4]])
    np.testing.assert_allclose(decode(offsets, prior, variances, code), box)
    np.testing.assert_allclose(encode(np.array(box), prior, variances, code), offsets)


LINE = np.array([[i, 0.0, i + 4, 1] for i in range(5)])  # neighbours share 3/5, the next 2/6, the next 1/7


@pytest.mark.parametrize("rules, kept", [
    ({"threshold": 0.5}, [2, 0, 4]), ({"threshold": 0.3}, [2]), ({"threshold": 0.7}, [2, 1, 0, 4, 3]),
    ({"threshold": 0.7, "top": 3}, [2, 1, 0]), ({"threshold": 0.7, "top": 0}, []),
    ({"threshold": 0.7, "eta": 0.8}, [2, 0, 4]), ({"threshold": 0.0}, [2]),
])
def test_suppress(rules, kept):
    scores = np.array([3.0, 4, 5, 1, 2])
    assert suppress(LINE, scores, **rules).tolist() == kept


def test_equal_scores_keep_their_order():
    assert suppress(LINE, np.ones(5), 0.5).tolist() == [0, 2, 4]


def test_a_box_stays_that_overlaps_by_the_threshold():
    boxes = np.array([[0.0, 0, 2, 1], [1, 0, 2, 1]])
    assert suppress(boxes, np.array([1.0, 0]), 0.5).tolist() == [0, 1]


SHARES = np.array([[0.6, 0.9], [0.5, 0.8], [0.2, 0.1], [0, 1e-7], [0.55, 0]])


@pytest.mark.parametrize("least, skipped, found", [
    (None, [], [1, -1, -1, -1, 0]), (0.5, [], [1, 1, -1, -1, 0]), (0.1, [], [1, 1, 0, -1, 0]),
    (0.0, [0], [-2, 1, 0, -1, 0]), (None, [0, 1, 4], [-2, -2, 0, -1, -2]),
])
def test_match(least, skipped, found):
    assert match(SHARES, least, np.isin(np.arange(5), skipped)).tolist() == found


def test_match_without_true_boxes():
    assert match(np.empty((3, 0)), 0.5, np.array([True, False, False])).tolist() == [-2, -1, -1]


@pytest.mark.parametrize("counted, expected", [
    ([True, True], [[1, 0], [0, 1], [0, 1], [1, 0]]), ([False, True], [[0, 0], [0, 0], [0, 1], [1, 0]]),
])
def test_hits(counted, expected):
    shares = np.array([[0.5, 0.4], [0.9, 0.8], [0.49, 0.3], [0.1, 0.6]])
    assert hits(shares, 0.5, np.array(counted)).tolist() == expected


def test_hits_without_true_boxes():
    assert hits(np.empty((2, 0)), 0.5, np.empty(0, bool)).tolist() == [[0, 1], [0, 1]]


def test_boxes_without_end_give_no_warnings():
    boxes = decode(np.array([[0.0, 0, 1e6, 1], [0, 0, 0, 0], [np.nan, 0, 0, 0]]), UNIT[0], np.ones(4), "CENTER_SIZE")
    assert boxes[0, 2] == np.inf
    assert overlaps(boxes[:2], boxes[1:]).tolist() == [[0, 0], [1, 0]]
    assert suppress(boxes, np.array([3.0, 2, 1]), 0.5).tolist() == [0, 1, 2]
