"""Distances between rows against loops, whole and a row at a time."""

import numpy as np
import pytest

from blobnet.ops import distances


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_one_by_one(size, monkeypatch):
    monkeypatch.setattr(distances, "BYTES", size)
    rng = np.random.default_rng(3)
    x, c = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    c[2, 1] = x[0, 1]
    above, below = rng.normal(size=(2, 5, 4))
    squared, absolute, sums = np.empty((5, 4)), np.empty((5, 4)), np.empty((5, 3))
    distances.squared_distances_to(x, c, squared)
    distances.absolute_distances(x, c, absolute)
    distances.sums_by_side(x, c, above, below, sums)
    for m, n in np.ndindex(5, 4):
        assert squared[m, n] == pytest.approx(sum((x[m, d] - c[n, d]) ** 2 for d in range(3)))
        assert absolute[m, n] == pytest.approx(sum(abs(x[m, d] - c[n, d]) for d in range(3)))
    for m, d in np.ndindex(5, 3):
        assert sums[m, d] == pytest.approx(sum(above[m, n] for n in range(4) if x[m, d] > c[n, d])
                                           - sum(below[m, n] for n in range(4) if x[m, d] < c[n, d]))


def test_the_same_point_far_away_is_at_distance_0():
    x, found = np.full((1, 8), 1e4 + 1 / 3, np.float32), np.empty((1, 1), np.float32)
    distances.squared_distances_to(x, x, found)
    assert 0 <= found < 1e-6
