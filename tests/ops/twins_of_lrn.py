"""Rows of the twins in ops/cuda/lrn.py."""

import numpy as np
from twin_rows import call

from blobnet.ops.lrn import LocalNorm

NORMS = [LocalNorm((1,), 5, 1.0, 0.02, 0.75), LocalNorm((1,), 3, 2.0, 0.3, 0.6), LocalNorm((1,), 1, 1.0, 0.5, 0.75),
         LocalNorm((1,), 15, 1.5, 0.1, 1.0),  # wider than there are channels
         LocalNorm((2, 3), 3, 1.0, 0.3, 0.75), LocalNorm((2, 3), 7, 1.0, 0.1, 0.5)]
SHAPE = (2, 7, 4, 5)


def forward(norm):
    return call(lambda rng: (rng.normal(size=SHAPE), norm, *(np.zeros(SHAPE) for _ in range(3))))


def backward(norm):
    def make(rng):
        x, out, dy = (rng.normal(size=SHAPE) for _ in range(3))
        return x, out, rng.uniform(1, 2, SHAPE), rng.uniform(0.5, 1, SHAPE), dy, norm, np.zeros(SHAPE)
    return call(make)


ROWS = {"lrn_forward": [forward(norm) for norm in NORMS], "lrn_backward": [backward(norm) for norm in NORMS]}
