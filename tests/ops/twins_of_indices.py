"""Rows of the twins in ops/cuda/indices.py."""

import numpy as np
from twin_rows import call


def members(kernel, xp, rng, dtype):
    """Who is of one class with whom: the twin has columns of zeros besides."""
    found = kernel(xp.asarray(rng.integers(-2, 3, 17)))
    return [found @ found.T, found.sum(axis=1)]


def whole(rng):
    return rng.integers(-3, 9, (5, 2, 3)).astype(float)


ROWS = {
    "scatter_add": [call(lambda rng: (rng.normal(size=(5, 3)), rng.integers(0, 5, 9), rng.normal(size=(9, 3)))),
                    call(lambda rng: (rng.normal(size=700), rng.integers(0, 5, (4, 9)), rng.normal(size=(4, 9)))),
                    call(lambda rng: (rng.normal(size=(3, 2, 4)), rng.integers(0, 3, 9), rng.normal(size=(9, 2, 4)))),
                    call(lambda rng: (rng.normal(size=(5, 6))[:, ::2], rng.integers(0, 5, 9), rng.normal(size=(9, 3)))),
                    call(lambda rng: (np.zeros((5, 3)), np.zeros(0, int), np.zeros((0, 3))))],
    "class_numbers": [call(lambda rng: (whole(rng), "layer", "label")),
                      call(lambda rng: (whole(rng)[:, 1], "layer", "label")),
                      call(lambda rng: (np.zeros((0, 2)), "layer", "label"))],
    "numbers_below": [call(lambda rng: (abs(whole(rng)), 9, "layer", "label")),
                      call(lambda rng: (abs(rng.integers(0, 4, 700).astype(float)), 9, "layer", "label")),
                      call(lambda rng: (np.array([0, 255, 3.0, -1, 2]).clip(0), 256, "layer", "label", "rows", "", 3)),
                      call(lambda rng: (np.array([0, 255, 3.0, 2]), 4, "layer", "label", "labels", "", 255)),
                      call(lambda rng: (np.array([0, -1, 3.0, 2]), 4, "layer", "label", "labels", "", -1))],
    "class_members": [members],
    "tally": [call(lambda rng: (rng.integers(0, 5, (40, 9)), 7)),
              call(lambda rng: (rng.integers(0, 5, (40, 9)), 5, rng.random((40, 9)) < 0.5))],
}
