"""A factor and a bias for every position of the middle axis of (outer, count, inner) arrays, and their gradients."""

from __future__ import annotations

from blobnet.backend import array_module
from blobnet.ops.share import Pieces, longest, pieces_of, share


def scale_shift(x, factor, bias, out) -> None:
    """out = x * factor + bias, for factor and bias (count); one of them may be None, and `out` may be x."""
    xp = array_module(x)
    factor, bias = (None if values is None else values.reshape(-1, 1) for values in (factor, bias))

    def part(run: Pieces) -> None:
        for a, b in run:
            rows, target = x[a:b], out[a:b]
            if factor is not None:
                rows = xp.multiply(rows, factor, out=target)
            if bias is not None:
                xp.add(rows, bias, out=target)

    share(xp, part, pieces_of(x))


def sums(dy, x=None):
    """The sums (count) of dy, or of dy * x, over the outer and the inner axis: the gradients to bias and factor."""
    xp = array_module(dy)
    ones, found = xp.ones(dy.shape[2], dy.dtype), xp.empty(dy.shape[:2], dy.dtype)

    def part(run: Pieces) -> None:
        product = None if x is None else xp.empty((longest(run), *dy.shape[1:]), dy.dtype)
        for a, b in run:
            rows = dy[a:b] if x is None else xp.multiply(dy[a:b], x[a:b], out=product[:b - a])
            xp.matmul(rows, ones, out=found[a:b])

    share(xp, part, pieces_of(dy))
    return found.sum(axis=0)
