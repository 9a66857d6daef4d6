"""Probabilities from scores: the softmax of many classes, the sigmoid of two."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module


def softmax(x: Array, out: Array) -> None:
    """out = exp(x - max) / sum of it, along axis 1 of (outer, classes, inner) arrays; out may be x."""
    xp = array_module(x)
    xp.subtract(x, x.max(axis=1, keepdims=True), out=out)
    xp.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def softmax_backward(y: Array, dy: Array, out: Array) -> None:
    """out = y * (dy - sum of y * dy along axis 1), for y = softmax(x); out may be dy."""
    total = (y * dy).sum(axis=1, keepdims=True)
    array_module(y).subtract(dy, total, out=out)
    out *= y


def sigmoid(x: Array, out: Array) -> None:
    """out = 1 / (1 + exp(-x)), exact to the last digits also where it is near 0, unlike (1 + tanh(x/2)) / 2.

    out may be x.

    >>> x = np.array([-20, 0, 200], "float32"); sigmoid(x, x); x.round(11)
    array([2.06e-09, 5.00e-01, 1.00e+00], dtype=float32)
    """
    xp = array_module(x)
    xp.negative(x, out=out)
    with np.errstate(over="ignore"):  # 1 / inf is the 0 that is wanted
        xp.exp(out, out=out)
    out += 1
    xp.reciprocal(out, out=out)
