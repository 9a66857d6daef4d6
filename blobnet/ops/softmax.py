"""Probabilities from scores: the softmax of many classes and its loss, the sigmoid of two."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module, twin


@twin("blobnet.ops.cuda.softmax")
def softmax(x: Array, out: Array) -> None:
    """out = exp(x - max) / sum of it, along axis 1 of (outer, classes, inner) arrays; out may be x."""
    xp = array_module(x)
    xp.subtract(x, x.max(axis=1, keepdims=True), out=out)
    xp.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


@twin("blobnet.ops.cuda.softmax")
def softmax_backward(y: Array, dy: Array, out: Array) -> None:
    """out = y * (dy - sum of y * dy along axis 1), for y = softmax(x); out may be dy."""
    total = (y * dy).sum(axis=1, keepdims=True)
    array_module(y).subtract(dy, total, out=out)
    out *= y


def label_costs(p: Array, labels: Array) -> Array:
    """-log p[label], (outer, inner), of p (outer, classes, inner); smaller p count as the least normal float32."""
    xp = array_module(p)
    chosen = xp.take_along_axis(p, labels[:, None, :], axis=1)[:, 0, :]
    return -xp.log(xp.maximum(chosen, xp.finfo("float32").tiny))


@twin("blobnet.ops.cuda.softmax")
def softmax_loss(p: Array, labels: Array, counted: Array, weights: Array | None, normalizer: float | None,
                 loss: Array) -> float | Array:
    """loss () = the sum of `label_costs` of those labels that are `counted`, times weights[label], / divisor.

    The divisor, which is returned, is `normalizer`, or if that is None the number of counted labels, at least 1.
    """
    xp, costs = array_module(p), label_costs(p, labels)
    if weights is not None:
        costs *= weights[labels]
    divisor = max(1.0, float(counted.sum())) if normalizer is None else normalizer
    loss[...] = xp.where(counted, costs, 0).sum() / divisor
    return divisor


@twin("blobnet.ops.cuda.softmax")
def softmax_loss_backward(p: Array, labels: Array, counted: Array, weights: Array | None, weight: float | Array,
                          divisor: float | Array, dx: Array) -> None:
    """dx = weight / divisor * weights[label] * (p - [class is label]), for p = softmax(x); 0 for labels not counted."""
    xp = array_module(p)
    softmax_slopes(p, labels, weight / divisor, dx)
    if weights is not None:
        dx *= weights[labels][:, None, :]
    xp.copyto(dx, 0, where=~counted[:, None, :])  # even where p is nan


def softmax_slopes(p: Array, labels: Array, factor: float | Array, dx: Array) -> None:
    """dx = factor * (p - [class is label]), the derivative of the costs of all labels."""
    xp = array_module(p)
    classes = xp.arange(p.shape[1])[None, :, None]
    xp.subtract(p, classes == labels[:, None, :], out=dx)
    dx *= factor


@twin("blobnet.ops.cuda.softmax")
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


@twin("blobnet.ops.cuda.softmax")
def sigmoid_backward(y: Array, dy: Array, dx: Array) -> None:
    """dx = dy * y * (1 - y), for y = sigmoid(x); dx may be dy."""
    slope = 1 - y
    slope *= y
    array_module(y).multiply(dy, slope, out=dx)
