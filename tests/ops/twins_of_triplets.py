"""Rows of the twin in ops/cuda/triplets.py."""

import numpy as np
from twin_rows import on_device


def triplets(n, classes, margin):
    """Rows of as many classes; row 0 has no label, so it is not like itself."""
    def row(kernel, xp, rng, dtype):
        labels, t, out = rng.integers(0, classes, n), rng.normal(size=(n, n)) * 30, xp.zeros((), dtype)
        alike = labels[:, None] == labels
        alike[0] = alike[:, 0] = False
        slopes, count = kernel(on_device(t, xp, dtype), xp.asarray(alike), margin, out)
        assert slopes.dtype == dtype
        return [out, slopes, xp.asarray(count, np.int64)]
    return row


ROWS = {"triplet_likelihood": [triplets(*sizes) for sizes in [(1, 1, 0.5), (6, 1, 2), (7, 7, 2), (30, 3, -1.5)]]}
