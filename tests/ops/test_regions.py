"""Maxima over boxes, against figures."""

import numpy as np

from blobnet.ops.regions import RegionMax

ROWS, COLUMNS = np.array([[[0, 2], [1, 3]], [[0, 0], [0, 2]]]), np.array([[[1, 3], [3, 4]], [[0, 2], [2, 2]]])


def pooled(x, dtype):
    bins, out = RegionMax(np.array([1, 0]), ROWS, COLUMNS), np.full((2, 1, 2, 2), 7, dtype)
    bins.forward(x.astype(dtype), out)
    return bins, out


def test_region_max():
    x = np.zeros((2, 1, 3, 4))
    x[1, 0] = [[9, 1, 2, 0], [9, 2, 0, -3], [9, 2, 0, -4]]
    x[0, 0] = [[np.nan, -5, 9, 9], [-5, -6, 9, 9], [9, 9, 9, 9]]
    for dtype in ("float32", "float64"):
        bins, out = pooled(x, dtype)
        assert out.tolist() == [[[[2, 0], [2, -3]]], [[[0, 0], [-5, 0]]]]
        assert bins.places.tolist() == [[[[14, 15], [17, 19]]], [[[-1, -1], [1, -1]]]]


def test_gradients_add_up_at_the_first_maximum():
    bins, out = pooled(np.ones((2, 1, 3, 4)), "float64")
    diff = np.full((2, 1, 3, 4), 7.0)
    bins.backward(np.array([[[[1.0, 2], [3, 4]]], [[[5, 6], [8, 9]]]]), diff)
    assert diff.tolist() == [[[[8, 0, 0, 0], [0] * 4, [0] * 4]], [[[0, 1, 0, 2], [0, 3, 0, 4], [0] * 4]]]


def test_a_bin_without_numbers_passes_nothing_back():
    bins, out = pooled(np.full((2, 1, 3, 4), np.nan), "float32")
    assert out.ravel().tolist() == [np.finfo("float32").min] * 4 + [0, 0, np.finfo("float32").min, 0]
    assert (bins.places == -1).all()
