"""Softmax along the middle axis of (outer, classes, inner) arrays."""

from __future__ import annotations

from blobnet.backend import array_module


def softmax(x, out) -> None:
    """out = exp(x - max) / sum of it, along axis 1."""
    xp = array_module(x)
    xp.subtract(x, x.max(axis=1, keepdims=True), out=out)
    xp.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def softmax_backward(y, dy, out) -> None:
    """out = y * (dy - sum of y * dy along axis 1); out may be dy."""
    inner = (y * dy).sum(axis=1, keepdims=True)
    array_module(y).subtract(dy, inner, out=out)
    out *= y
