"""Rows of the twins in ops/cuda/distances.py."""

import numpy as np
from twin_rows import call, on_device

SIZES = [(5, 4, 3), (1, 300, 2), (40, 7, 60), (3, 2, 0), (0, 2, 3)]  # rows of x, rows of c, numbers of each


def points(rng, sizes):
    """x and c, with numbers in common."""
    m, n, d = sizes
    return rng.integers(-3, 4, (m, d)) / 4, rng.integers(-3, 4, (n, d)) / 4


def not_finite(kernel, xp, rng, dtype):
    x, c = (on_device(array, xp, dtype) for array in points(rng, (5, 4, 3)))
    x[1, 2], x[3, 0] = xp.nan, xp.inf
    out = xp.zeros((5, 4), dtype)
    with np.errstate(invalid="ignore"):
        kernel(x, c, out)
    return [out]


def by_side(transposed):
    """Values for each side, which may be those of c by x."""
    def make(rng):
        x, c = points(rng, (6, 9, 20))
        sides = [rng.normal(size=(9, 6)).T if transposed else rng.normal(size=(6, 9)) for _ in range(2)]
        return x, c, *sides, np.zeros(x.shape)
    return call(make)


def distances(sizes):
    return call(lambda rng: (*points(rng, sizes), np.zeros(sizes[:2])))


ROWS = {
    "squared_distances_to": [not_finite, *map(distances, SIZES)],
    "absolute_distances": [not_finite, *map(distances, SIZES)],
    "sums_by_side": [by_side(False), by_side(True)],
}
