"""The logistic sigmoid, with all its digits on both sides of 0."""

from __future__ import annotations

import numpy as np

from blobnet.backend import array_module


def sigmoid(x, out) -> None:
    """out = 1 / (1 + exp(-x)), which loses nothing of what is far below 1, as a tanh does; out may be x.

    >>> x = np.array([-20, 0, 200], "float32"); sigmoid(x, x); x.round(11)
    array([2.06e-09, 5.00e-01, 1.00e+00], dtype=float32)
    """
    xp = array_module(x)
    xp.negative(x, out=out)
    with np.errstate(over="ignore"):  # 1 / inf is the 0 that is wanted
        xp.exp(out, out=out)
    out += 1
    xp.reciprocal(out, out=out)
