"""Rows of the twins in ops/cuda/updates.py."""

import numpy as np
from twin_rows import on_device


def clipped(count, limit, wrong=0.0):
    """The numbers of an iteration after so many gradients were clipped, the last of which is wrong."""
    def row(kernel, xp, rng, dtype):
        values, step = rng.normal(size=count), xp.asarray(np.array([0.1, 1, 1, 0.5]))
        values[-1] += wrong
        kernel(on_device(values, xp, dtype), limit, step)
        return [step]
    return row


ROWS = {"clip_gradients": [clipped(5, 0.01), clipped(70_000, 100.0), clipped(1_500_000, 1e-3), clipped(3000, 1e9),
                           clipped(3000, 0.0), clipped(3000, 1.0, np.nan), clipped(3000, 1.0, np.inf)]}
