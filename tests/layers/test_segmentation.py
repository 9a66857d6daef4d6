"""Layers for segmentation against figures."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError


def test_upsample_keeps_the_last_of_equal_places_and_gives_each_the_gradient():
    alone = build("Upsample", [[[[[1.0, 2], [3, 4]]]], [[[[5, 0], [5, 15]]]]])
    expected = np.zeros(16)
    expected[[0, 5, 15]] = 2, 3, 4
    np.testing.assert_array_equal(alone.forward()[0], expected.reshape(1, 1, 4, 4))
    dx, dmask = alone.backward([np.arange(16.0).reshape(1, 1, 4, 4)], [True, True])
    assert dx.tolist() == [[[[5, 0], [5, 15]]]]
    assert not dmask.any()


@pytest.mark.parametrize("place", [-1, 16])
def test_upsample_refuses_places_outside_of_the_plane(place):
    alone = build("Upsample", [np.ones((1, 1, 2, 2)), [[[[0, 1], [2, place]]]]])
    with pytest.raises(DataError, match=rf"places 'x1' of a plane \(4, 4\) in 0 ... 15, got {place}"):
        alone.forward()


def test_interp_takes_the_size_of_its_second_bottom_whatever_else_is_said():
    options = "interp_param { use_blob_size: true height: 9 width: 9 }"
    alone = build("Interp", [[[[[0.0, 4], [8, 12]]]], np.zeros((1, 1, 2, 3))], options)
    assert alone.forward()[0].tolist() == [[[[0, 2, 4], [8, 10, 12]]]]


@pytest.mark.parametrize("label", [-1, 2, 255])
def test_seg_accuracy_refuses_labels_out_of_range(label):
    alone = build("SegAccuracy", [np.ones((1, 2, 1, 2)), [[[[1, label]]]]])
    with pytest.raises(DataError, match=f"0 ... 1, got {label}; ignore_label"):
        alone.forward()
    options = f"seg_accuracy_param {{ ignore_label: {label} }}"
    assert build("SegAccuracy", alone.values, options).forward()[0].tolist() == [[[[1, 1, 1]]]]  # class 0: not there


@pytest.mark.parametrize("reset, expected", [("true", [0, 0, 0]), ("false", [0.5, 0.5, 1 / 3])])
def test_seg_accuracy_adds_up_over_forwards(reset, expected):
    alone = build("SegAccuracy", [[[[[1.0, 0]], [[0, 1]]]], [[[[0, 1]]]]], f"seg_accuracy_param {{ reset: {reset} }}")
    assert alone.forward()[0].ravel().tolist() == [1, 1, 1]
    alone.values[1] = 1 - alone.values[1]
    np.testing.assert_allclose(alone.forward()[0].ravel(), expected, rtol=1e-12)


def test_upsample_of_one_bottom_repeats_places():
    alone = build("Upsample", [[[[[1.0, 2]]]]], "upsample_param { scale: 2 }")
    assert alone.forward()[0].tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    assert alone.backward([np.arange(8.0).reshape(1, 1, 2, 4)], [True])[0].tolist() == [[[[10, 18]]]]
