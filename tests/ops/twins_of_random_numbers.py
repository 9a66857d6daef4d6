"""Rows of the twins in ops/cuda/random_numbers.py."""

import numpy as np


def drawn(*shape, call=0, step=0):
    def row(kernel, xp, rng, dtype):
        out = xp.empty(shape, dtype)
        kernel(out, (3, 2**64 - 1), call, xp.asarray(np.int64(step)))
        return [out]
    return row


ROWS = {
    "uniform": [drawn(1), drawn(7, 9, call=3, step=2**40), drawn(2, 0), drawn(3000, 7, step=5)],
}
