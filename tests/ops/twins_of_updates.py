"""Rows of the twins in ops/cuda/updates.py."""

import numpy as np
from twin_rows import on_device

from blobnet.backend.doubts import Doubts


class SaidError(Exception):
    """What a doubt says."""


def judged(count, limit, wrong=(), error=SaidError):
    """The numbers of an iteration after so many gradients were judged, and where and what the first wrong one was."""
    def row(kernel, xp, rng, dtype):
        values = rng.normal(size=count)
        for place, value in wrong:
            values[place] = value
        step, found, doubts = xp.asarray(np.array([0.1, 1, 1, 0.5])), np.zeros(2), Doubts(xp)
        try:
            with doubts.in_use():
                kernel(on_device(values, xp, dtype), limit, step, error)
            doubts.settle()
        except SaidError as said:
            found[:] = said.args[0][:2]
        return [step, found]
    return row


ROWS = {"judge": [judged(5, -1), judged(5, 0.01), judged(70_000, 100.0), judged(1_500_000, 1e-3), judged(3000, 1e9),
                  judged(3000, 0), judged(3000, 1.0, error=None), judged(3000, 1.0, [(7, np.nan)], None),
                  judged(3000, 1.0, [(2999, np.nan)]), judged(70_000, -1, [(300, np.inf), (299, -np.inf)])]}
