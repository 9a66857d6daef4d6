"""Pooling against loops over windows written from Caffe's rules."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from blobnet.backend import pieces
from blobnet.ops.average_pool import average_matrices, average_pool
from blobnet.ops.axes import Axis, pooled_size
from blobnet.ops.max_pool import MaxPool

LOWEST = np.finfo(np.float64).min


def slow_pool(x, axes):
    """(maxima, places, averages): one window after the other, scanned in order."""
    maxima, places, averages = (np.zeros((*x.shape[:2], *(a.out for a in axes))) for _ in range(3))
    for n, c, *window in np.ndindex(maxima.shape):
        starts = [p * a.stride - a.pad for p, a in zip(window, axes)]
        stops = [min(s + a.taps, a.size + a.pad) for s, a in zip(starts, axes)]
        divisor = np.prod([max(stop - start, 1) for start, stop in zip(starts, stops)])
        best, place, total = LOWEST, -1, 0.0
        for position in np.ndindex(*x.shape[2:]):
            if all(start <= i < stop for i, start, stop in zip(position, starts, stops)):
                value = x[(n, c, *position)]
                total += value
                if value > best:
                    best, place = value, np.ravel_multi_index(position, x.shape[2:])
        where = (n, c, *window)
        maxima[where], places[where], averages[where] = best, place, total / divisor
    return maxima, places, averages


def axes_of(spatial, kernel, stride, pad, rounding=True):
    sizes = zip(spatial, kernel, stride, pad)
    return [Axis(size, pooled_size(size, k, s, p, rounding), k, s, 1, p) for size, k, s, p in sizes]


def check(x, axes):
    want_max, want_places, want_average = slow_pool(x, axes)
    pool = MaxPool(np, x.dtype, *x.shape[:2], axes)
    y, places = np.full(want_max.shape, np.nan), np.full(want_max.shape, np.nan)
    pool.forward(x, y)
    pool.places(places)
    np.testing.assert_array_equal(y, want_max)
    np.testing.assert_array_equal(places, want_places)

    dy, dx = np.random.default_rng(1).standard_normal(y.shape), np.full_like(x, np.nan)
    pool.backward(dy, dx)
    want = np.zeros((*x.shape[:2], int(np.prod(x.shape[2:]))))
    for n, c, *window in np.ndindex(y.shape):
        if want_places[(n, c, *window)] >= 0:
            want[n, c, int(want_places[(n, c, *window)])] += dy[(n, c, *window)]
    np.testing.assert_allclose(dx, want.reshape(x.shape), atol=1e-12)

    matrices = average_matrices(np, x.dtype, axes)
    average_pool(x, matrices, y)
    np.testing.assert_allclose(y, want_average, atol=1e-12)
    average_pool(dy, [matrix.T for matrix in matrices], dx)
    other = np.random.default_rng(2).standard_normal(x.shape)
    np.testing.assert_allclose((dx * other).sum(), (slow_pool(other, axes)[2] * dy).sum(), atol=1e-10)


CASES = {  # spatial, kernel, stride, pad
    "alexnet": ((7, 8), (3, 3), (2, 2), (0, 0)),
    "padded": ((6, 6), (3, 3), (2, 2), (1, 1)),
    "clipped divisor": ((6, 6), (4, 4), (3, 3), (2, 2)),
    "gaps": ((8, 7), (2, 2), (3, 3), (0, 0)),
    "dense": ((5, 4), (3, 2), (1, 1), (1, 1)),
    "global": ((5, 6), (5, 6), (1, 1), (0, 0)),
    "one axis": ((9,), (3,), (2,), (1,)),
    "three axes": ((4, 5, 3), (2, 3, 2), (2, 1, 2), (0, 1, 1)),
    "offsets beyond a byte": ((3, 130), (3, 3), (2, 2), (0, 0)),
    "a window beyond the plane": ((6, 6), (2, 2), (3, 3), (0, 0)),
}


@pytest.mark.parametrize("spatial, kernel, stride, pad", CASES.values(), ids=CASES)
@pytest.mark.parametrize("levels", [3, 1000], ids=["ties", "distinct"])
def test_against_loops(spatial, kernel, stride, pad, levels):
    x = np.random.default_rng(0).integers(-levels, levels, (3, 2, *spatial)).astype(float)
    check(x, axes_of(spatial, kernel, stride, pad))


@settings(deadline=None, max_examples=50)
@given(data=st.data(), rounding=st.booleans())
def test_any_geometry(data, rounding):
    kernel = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    stride = [data.draw(st.integers(1, k)) for k in kernel]
    pad = [data.draw(st.integers(0, k - 1)) for k in kernel]
    spatial = [max(1, k - 2 * p) + data.draw(st.integers(0, 4)) for k, p in zip(kernel, pad)]
    x = np.random.default_rng(0).integers(-3, 3, (2, 2, *spatial)).astype(float)
    check(x, axes_of(spatial, kernel, stride, pad, rounding))


def test_small_pieces_give_the_same(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 3 * 7 * 8 * 8)  # 3 planes, 11 to share
    x = np.random.default_rng(0).standard_normal((11, 1, 7, 8))
    check(x, axes_of((7, 8), (3, 3), (2, 2), (1, 1)))


def test_large_planes_average_axis_by_axis():
    axes = axes_of((20, 21), (3, 3), (1, 1), (1, 1))
    assert len(average_matrices(np, np.float64, axes)) == 2
    check(np.random.default_rng(0).standard_normal((1, 1, 20, 21)), axes)


def test_nothing_to_find():
    """NaN and what is below every finite number never win; such windows, and empty ones, pass no gradient."""
    x = np.array([[[[np.nan, np.nan, 1, np.nan, -np.inf, -np.inf]]]])
    pool = MaxPool(np, np.float64, 1, 1, [Axis(1, 1, 1), Axis(6, 4, 2, 2)])
    y, places, dx = np.empty((1, 1, 1, 4)), np.empty((1, 1, 1, 4)), np.full_like(x, np.nan)
    pool.forward(x, y)
    pool.places(places)
    pool.backward(np.ones_like(y), dx)
    assert y.ravel().tolist() == [LOWEST, 1, LOWEST, LOWEST]
    assert places.ravel().tolist() == [-1, 2, -1, -1]
    assert dx.ravel().tolist() == [0, 0, 1, 0, 0, 0]


small = st.integers(1, 8)


@given(size=st.integers(1, 40), kernel=small, stride=small, pad=st.integers(0, 7), up=st.booleans())
def test_pooled_size_is_caffes(size, kernel, stride, pad, up):
    assume(pad < kernel <= size + 2 * pad)
    want = int((ceil if up else floor)((size + 2 * pad - kernel) / stride)) + 1
    if pad and (want - 1) * stride >= size + pad:
        want -= 1
    assert pooled_size(size, kernel, stride, pad, up) == want
