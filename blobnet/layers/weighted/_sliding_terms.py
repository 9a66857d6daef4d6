"""The terms of a convolution and of its transpose: which weights met which numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.core.terms import Factor, Operand, Place, Terms, grid, reindexed, sum_of_products

Pairs = list[tuple[int, int]]


class Side(NamedTuple):
    """One side of the kernels: blobs, all of them read in one shape (N, channels, spatial axes)."""

    kind: str
    blobs: Sequence
    shape: tuple[int, ...]

    def numbers(self, which: str, i: int, index: Sequence) -> Operand:
        """Numbers of blob i, whose index has a column for each axis, or one number for all of them."""
        blob = self.blobs[i]
        return Operand(self.kind, i, which, getattr(blob, which).reshape(self.shape), _columns(index), blob.shape)

    def folded(self, place: Place) -> tuple[int, ...]:
        """The index where all axes before the channels are one."""
        return reindexed(place.index, self.blobs[place.number].shape, self.shape)


class SlidingTerms:
    """The terms of one number of a layer with `sliding`, `group`, `outputs`, `channels`, `bottom_shape`, `top_shape`.

    Numbers meet in a product: a weight [k, c, r], one of the wide side [n, c, h], and one of the narrow side [n, k, p],
    where h is p * stride + r * dilation - pad along each spatial axis; the c of a weight counts within its group. A
    convolution leads from the wide side to the narrow one, a `transposed` layer back.
    """

    def __init__(self, layer, bottom, top):
        self.layer, self.top = layer, Side("top", top, layer.top_shape)
        self.bottom = Side("bottom", bottom, layer.bottom_shape)
        self.wide, self.narrow = (self.top, self.bottom) if layer.transposed else (self.bottom, self.top)
        self.inputs, self.share = self.wide.shape[1] // layer.group, self.narrow.shape[1] // layer.group

    def terms(self, place: Place) -> Terms:
        if place.kind == "param":
            return self._of_bias(place) if place.number else self._of_weight(place)
        which = "data" if place.kind == "top" else "diff"  # data are made of data, diffs of diffs
        block = self._window(place, which) if place.kind == self.narrow.kind else self._spread(place, which)
        if place.kind == "bottom":
            return sum_of_products(place, [block[::-1]], (), "every dy that this x had a part in, times the weight "
                                   "that met it there")
        bias, k = self.layer.bias, self.top.folded(place)[1]
        more = [] if bias is None else [(Factor(float(bias[k]), Place("param", 1, "data", (k,)), "bias"),)]
        words = "every x that was spread to here" if self.layer.transposed else "the window of x"
        return sum_of_products(place, [block], more, f"{words}, times the weight that met it, and the bias")

    def _window(self, place: Place, which: str) -> list[Operand]:
        """The weights and what they meet of the wide side, in the window at a place of the narrow one."""
        n, k, *p = self.narrow.folded(place)
        first = k // self.share * self.inputs
        r, h = self._split(grid([(c, first + c) for c in range(self.inputs)], *self._taps(p)))
        return [self._weight(k, *r), self.wide.numbers(which, place.number, (n, *h))]

    def _spread(self, place: Place, which: str) -> list[Operand]:
        """The weights and what they meet of the narrow side, in all windows that hold a place of the wide one."""
        n, c, *h = self.wide.folded(place)
        group, inner = divmod(c, self.inputs)
        cells = grid([(k, k) for k in range(group * self.share, (group + 1) * self.share)], *self._reached(h))
        (k, *r), (_, *p) = self._split(cells)
        return [self._weight(k, inner, *r), self.narrow.numbers(which, place.number, (n, k, *p))]

    def _of_weight(self, place: Place) -> Terms:
        k, c, *r = place.index
        (n, *p), (_, *h) = self._split(grid([(n, n) for n in range(self.narrow.shape[0])], *self._met(r)))
        indices = {self.narrow.kind: (n, k, *p), self.wide.kind: (n, k // self.share * self.inputs + c, *h)}
        blocks = [[self.top.numbers("diff", i, indices["top"]), self.bottom.numbers("data", i, indices["bottom"])]
                  for i in range(len(self.top.blobs))]
        return sum_of_products(place, blocks, (), "every dy that this weight had a part in, times the x that it met "
                               "there")

    def _of_bias(self, place: Place) -> Terms:
        num, _, *sizes = self.top.shape
        n, *p = np.indices((num, *sizes)).reshape(len(sizes) + 1, -1)
        blocks = [[self.top.numbers("diff", i, (n, place.index[-1], *p))] for i in range(len(self.top.blobs))]
        return sum_of_products(place, blocks, (), "the sum of all dy of this output")

    # Pairs of places along the spatial axes.

    def _taps(self, p: Sequence[int]) -> list[Pairs]:
        """(r, h) of the window at p, inside the wide side."""
        return [[(r, at * s + r * d - b) for r in range(taps) if 0 <= at * s + r * d - b < size]
                for at, taps, s, b, d, size in zip(p, *self.layer.sliding, self.wide.shape[2:])]

    def _reached(self, h: Sequence[int]) -> list[Pairs]:
        """(r, p) of the windows that hold h."""
        return [[(r, (at + b - r * d) // s) for r in range(taps)
                 if (at + b - r * d) % s == 0 and 0 <= (at + b - r * d) // s < out]
                for at, taps, s, b, d, out in zip(h, *self.layer.sliding, self.narrow.shape[2:])]

    def _met(self, r: Sequence[int]) -> list[Pairs]:
        """(p, h) where tap r lies inside the wide side."""
        _, *sliding = self.layer.sliding
        return [[(p, p * s + tap * d - b) for p in range(out) if 0 <= p * s + tap * d - b < size]
                for tap, s, b, d, out, size in zip(r, *sliding, self.narrow.shape[2:], self.wide.shape[2:])]

    @staticmethod
    def _split(cells: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The first and the second of each pair of columns."""
        return list(cells.T[::2]), list(cells.T[1::2])

    def _weight(self, *index) -> Operand:
        weight = self.layer.param_data(0)
        return Operand("param", 0, "data", weight, _columns(index), weight.shape)


def _columns(index) -> np.ndarray:
    """Arrays of indices, and numbers that are the same for all, as (count, axes)."""
    return np.stack(np.broadcast_arrays(*map(np.atleast_1d, index)), axis=1)
