"""The terms of a convolution: which weights met which numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.core.terms import Factor, Operand, Place, Terms, grid, sum_of_products

Pairs = list[tuple[int, int]]


class ConvolutionTerms:
    """The terms of one number of a layer with `sliding`, `group`, `outputs`, `channels`, `bottom_shape`, `top_shape`.

    Numbers meet in a product: a weight [k, c, r], x [n, c, h] and dy [n, k, p], where h is p * stride + r * dilation -
    pad along each spatial axis; the c of a weight counts within its group.
    """

    def __init__(self, layer, bottom, top):
        self.layer, self.bottom, self.top = layer, bottom, top
        self.inputs, self.share = layer.channels // layer.group, layer.outputs // layer.group

    def terms(self, place: Place) -> Terms:
        if place.kind == "top":
            return self._of_top(place)
        if place.kind == "bottom":
            return self._of_bottom(place)
        return self._of_bias(place) if place.number else self._of_weight(place)

    def _of_top(self, place: Place) -> Terms:
        n, k, *p = self._folded(place.index, self.top[0].shape, self.layer.top_shape)
        first = k // self.share * self.inputs
        cells = grid([(c, first + c) for c in range(self.inputs)], *self._taps(p))
        bias = self.layer.bias
        more = [] if bias is None else [(Factor(float(bias[k]), Place("param", 1, "data", (k,)), "bias"),)]
        return sum_of_products(place, [[self._weight(k, *self._split(cells)[0]),
                                        self._x(place.number, n, *self._split(cells)[1])]], more,
                               "the window of x times the weights, and the bias")

    def _of_bottom(self, place: Place) -> Terms:
        n, c, *h = self._folded(place.index, self.bottom[0].shape, self.layer.bottom_shape)
        group, inner = divmod(c, self.inputs)
        cells = grid([(k, k) for k in range(group * self.share, (group + 1) * self.share)], *self._reached(h))
        (k, *r), (_, *p) = self._split(cells)
        return sum_of_products(place, [[self._dy(place.number, n, k, *p), self._weight(k, inner, *r)]], (),
                               "every dy whose window holds this x, times the weight that met it there")

    def _of_weight(self, place: Place) -> Terms:
        k, c, *r = place.index
        cells = grid([(n, n) for n in range(self.layer.bottom_shape[0])], *self._met(r))
        (n, *p), (_, *h) = self._split(cells)
        blocks = [[self._dy(i, n, k, *p), self._x(i, n, k // self.share * self.inputs + c, *h)]
                  for i in range(len(self.bottom))]
        return sum_of_products(place, blocks, (), "every dy of this output, times the x that this weight met there")

    def _of_bias(self, place: Place) -> Terms:
        n, *p = np.indices((self.layer.top_shape[0], *self.layer.top_shape[2:])).reshape(len(self.layer.top_shape) - 1,
                                                                                        -1)
        return sum_of_products(place, [[self._dy(i, n, place.index[-1], *p)] for i in range(len(self.top))], (),
                               "the sum of all dy of this output")

    # Pairs of places along the spatial axes.

    def _taps(self, p: Sequence[int]) -> list[Pairs]:
        """(r, h) of the window at p, inside x."""
        return [[(r, at * s + r * d - b) for r in range(taps) if 0 <= at * s + r * d - b < size]
                for at, taps, s, b, d, size in zip(p, *self.layer.sliding, self.layer.bottom_shape[2:])]

    def _reached(self, h: Sequence[int]) -> list[Pairs]:
        """(r, p) of the windows that hold h."""
        return [[(r, (at + b - r * d) // s) for r in range(taps)
                 if (at + b - r * d) % s == 0 and 0 <= (at + b - r * d) // s < out]
                for at, taps, s, b, d, out in zip(h, *self.layer.sliding, self.layer.top_shape[2:])]

    def _met(self, r: Sequence[int]) -> list[Pairs]:
        """(p, h) where tap r lies inside x."""
        _, *sliding = self.layer.sliding
        return [[(p, p * s + tap * d - b) for p in range(out) if 0 <= p * s + tap * d - b < size]
                for tap, s, b, d, out, size in zip(r, *sliding, self.layer.top_shape[2:], self.layer.bottom_shape[2:])]

    # Numbers.

    @staticmethod
    def _split(cells: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The first and the second of each pair of columns."""
        return list(cells.T[::2]), list(cells.T[1::2])

    def _weight(self, *index) -> Operand:
        weight = self.layer.param_data(0)
        return Operand("param", 0, "data", weight, _columns(index), weight.shape)

    def _x(self, i: int, *index) -> Operand:
        blob = self.bottom[i]
        return Operand("bottom", i, "data", blob.data.reshape(self.layer.bottom_shape), _columns(index), blob.shape)

    def _dy(self, i: int, *index) -> Operand:
        blob = self.top[i]
        return Operand("top", i, "diff", blob.diff.reshape(self.layer.top_shape), _columns(index), blob.shape)

    @staticmethod
    def _folded(index: Sequence[int], shape: Sequence[int], folded: Sequence[int]) -> tuple[int, ...]:
        """The index where all axes before the channels are one."""
        return tuple(map(int, np.unravel_index(np.ravel_multi_index(index, shape), folded)))


def _columns(index) -> np.ndarray:
    """Arrays of indices, and numbers that are the same for all, as (count, axes)."""
    return np.stack(np.broadcast_arrays(*map(np.atleast_1d, index)), axis=1)
