"""The terms of a convolution: which weights met which numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from blobnet.core.terms import Factor, Place, Term, Terms

Index = tuple[int, ...]


class ConvolutionTerms:
    """The terms of one number of a layer with `sliding`, `group`, `outputs`, `channels`, `bottom_shape`, `top_shape`.

    Pairs of places meet in a product: a weight (k, c, r), x (n, c, h) and y (n, k, p) with h = p * stride + r *
    dilation - pad along each spatial axis; c counts within the group.
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
        found: list[Term] = [(self._weight((k, c, *r)), self._x(place.number, (n, first + c, *h)))
                             for c in range(self.inputs) for r, h in self._taps(p)]
        if self.layer.bias is not None:
            found.append((Factor(float(self.layer.bias[k]), Place("param", 1, "data", (k,)), "bias"),))
        return Terms(place, found, "the window of x times the weights, and the bias")

    def _of_bottom(self, place: Place) -> Terms:
        n, c, *h = self._folded(place.index, self.bottom[0].shape, self.layer.bottom_shape)
        group, inner = divmod(c, self.inputs)
        found = [(self._dy(place.number, (n, k, *p)), self._weight((k, inner, *r)))
                 for k in range(group * self.share, (group + 1) * self.share) for r, p in self._reached(h)]
        return Terms(place, found, "every dy whose window holds this x, times the weight that met it there")

    def _of_weight(self, place: Place) -> Terms:
        k, c, *r = place.index
        first = k // self.share * self.inputs
        found = [(self._dy(i, (n, k, *p)), self._x(i, (n, first + c, *h)))
                 for i in range(len(self.bottom)) for n in range(self.layer.bottom_shape[0]) for p, h in self._met(r)]
        return Terms(place, found, "every dy of this output, times the x that this weight met there")

    def _of_bias(self, place: Place) -> Terms:
        shape = self.layer.top_shape
        found = [(self._dy(i, (n, *place.index, *p)),) for i in range(len(self.top)) for n in range(shape[0])
                 for p in np.ndindex(*shape[2:])]
        return Terms(place, found, "the sum of all dy of this output")

    # Places along the spatial axes.

    def _taps(self, p: Sequence[int]) -> Iterator[tuple[Index, Index]]:
        """(r, h) of the window at p, inside x."""
        kernel, stride, pad, dilation = self.layer.sliding
        yield from self._along([[(tap, at * s + tap * d - b) for tap in range(size)]
                                for at, size, s, b, d in zip(p, kernel, stride, pad, dilation)], inside=1)

    def _reached(self, h: Sequence[int]) -> Iterator[tuple[Index, Index]]:
        """(r, p) of the windows that hold h."""
        kernel, stride, pad, dilation = self.layer.sliding
        yield from ((r, p) for r, p in self._pairs([
            [(tap, (at + b - tap * d) // s) for tap in range(size)
             if (at + b - tap * d) % s == 0 and 0 <= (at + b - tap * d) // s < out]
            for at, size, s, b, d, out in zip(h, kernel, stride, pad, dilation, self.layer.top_shape[2:])]))

    def _met(self, r: Sequence[int]) -> Iterator[tuple[Index, Index]]:
        """(p, h) where tap r lies inside x."""
        _, stride, pad, dilation = self.layer.sliding
        yield from self._along([[(at, at * s + tap * d - b) for at in range(out)] for tap, s, b, d, out in
                                zip(r, stride, pad, dilation, self.layer.top_shape[2:])], inside=1)

    def _along(self, axes: list[list[Index]], inside: int) -> Iterator[tuple[Index, Index]]:
        sizes = self.layer.bottom_shape[2:]
        yield from self._pairs([[pair for pair in pairs if 0 <= pair[inside] < size]
                                for pairs, size in zip(axes, sizes)])

    @staticmethod
    def _pairs(axes: list[list[Index]]) -> Iterator[tuple[Index, Index]]:
        for pairs in product(*axes):
            yield tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)

    # Numbers.

    def _weight(self, index: Index) -> Factor:
        return Factor(float(self.layer.param_data(0)[index]), Place("param", 0, "data", index))

    def _x(self, i: int, index: Index) -> Factor:
        value = float(self.bottom[i].data.reshape(self.layer.bottom_shape)[index])
        return Factor(value, Place("bottom", i, "data", self._unfolded(index, self.bottom[i].shape,
                                                                       self.layer.bottom_shape)))

    def _dy(self, i: int, index: Index) -> Factor:
        value = float(self.top[i].diff.reshape(self.layer.top_shape)[index])
        return Factor(value, Place("top", i, "diff", self._unfolded(index, self.top[i].shape, self.layer.top_shape)))

    @staticmethod
    def _folded(index: Index, shape: Index, folded: Index) -> Index:
        """The index where all axes before the channels are one."""
        return tuple(map(int, np.unravel_index(np.ravel_multi_index(index, shape), folded)))

    @staticmethod
    def _unfolded(index: Index, shape: Index, folded: Index) -> Index:
        return tuple(map(int, np.unravel_index(np.ravel_multi_index(index, folded), shape)))
