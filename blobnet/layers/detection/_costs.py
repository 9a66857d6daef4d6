"""What offsets and scores cost, and the slopes."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module
from blobnet.ops.softmax import sigmoid, softmax


def offset_costs(d: Array, smooth: bool) -> tuple[Array, Array]:
    """L(d) and L'(d): d^2 / 2, if `smooth` only where |d| < 1, else |d| - 1/2."""
    xp = array_module(d)
    if not smooth:
        return d * d / 2, d
    return xp.where(abs(d) < 1, d * d / 2, abs(d) - 0.5), xp.clip(d, -1, 1)


def score_costs(x: Array, t: Array, together: bool) -> tuple[Array, Array]:
    """The costs (R,) of scores x (R, C) with targets t (R, C), and their slopes (R, C).

    together: one softmax of all classes, where no probability counts less than the smallest normal float32; else a
    sigmoid for each.
    """
    xp, p = array_module(x), array_module(x).empty_like(x)
    if together:
        softmax(x[:, :, None], p[:, :, None])
        return -xp.log(xp.maximum((p * t).sum(axis=1), np.finfo("float32").tiny)), p - t
    sigmoid(x, p)
    return (xp.log1p(xp.exp(-abs(x))) - x * (t - (x >= 0))).sum(axis=1), p - t


def targets(ones: np.ndarray, rows: int, classes: int, rest: int, like: Array) -> Array:
    """(rows, classes) on the device of `like`, as its numbers: 1 at the places `ones`, row by row, elsewhere `rest`."""
    t = np.full((rows, classes), rest, like.dtype)
    t.reshape(-1)[ones] = 1
    return array_module(like).asarray(t)
