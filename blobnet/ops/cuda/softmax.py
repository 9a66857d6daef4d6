"""Softmax, its loss, and the sigmoid."""

from __future__ import annotations

from blobnet.backend import Array, array_module
from blobnet.ops import softmax as ops
from blobnet.ops.cuda.launch import THREADS, launch, launch_rows

LONG = 64    # classes of a contiguous row that a block shares
PARTS = 256  # at most, of the labels of a loss


def softmax(x: Array, out: Array) -> None:
    outer, classes, inner = x.shape
    if inner == 1 and classes >= LONG:
        launch_rows("softmax_long", outer, x, out, classes, outer)
    else:
        launch("softmax", outer * inner, x, out, classes, inner, outer * inner)


def softmax_backward(y: Array, dy: Array, out: Array) -> None:
    outer, classes, inner = y.shape
    if inner == 1 and classes >= LONG:
        launch_rows("softmax_backward_long", outer, y, dy, out, classes, outer)
    else:
        launch("softmax_backward", outer * inner, y, dy, out, classes, inner, outer * inner)


def softmax_loss(p: Array, labels: Array, counted: Array, weights: Array | None, normalizer: float | None,
                 loss: Array) -> Array:
    xp, (_, classes, inner) = array_module(p), p.shape
    count = min(-(-labels.size // THREADS), PARTS)
    parts, divisor = xp.empty((2, count), p.dtype), xp.empty((), p.dtype)
    launch_rows("softmax_loss_parts", count, p, labels, counted, weights, parts, count, classes, inner, labels.size)
    launch_rows("softmax_loss", 1, parts, normalizer or 0, loss, divisor, count)
    return divisor


def softmax_loss_backward(p: Array, labels: Array, counted: Array, weights: Array | None, weight: Array, divisor: Array,
                          dx: Array) -> None:
    _, classes, inner = p.shape
    launch("softmax_loss_backward", p.size, p, labels, counted, weights, weight, divisor, dx, classes, inner, p.size)


def sigmoid(x: Array, out: Array) -> None:
    if x.flags.c_contiguous and out.flags.c_contiguous:
        launch("sigmoid", x.size, x, out, x.size)
    else:
        ops.sigmoid.body(x, out)


def sigmoid_backward(y: Array, dy: Array, dx: Array) -> None:
    launch("sigmoid_backward", y.size, y, dy, dx, y.size)
