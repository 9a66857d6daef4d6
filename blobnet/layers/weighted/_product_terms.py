"""The terms of a matrix product: rows of x (rows, inner) with the weights (outputs, inner)."""

from __future__ import annotations

import numpy as np

from blobnet.core.terms import Factor, Place, Term, Terms


def product_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of one number of a layer with `rows`, `inner` and options num_output, transpose, bias_term."""
    x, y = (layer.rows, layer.inner), (layer.rows, layer.options.num_output)
    transpose = layer.options.transpose

    def number(kind: str, which: str, blob, index: tuple[int, int], folded: tuple[int, int]) -> Factor:
        at = tuple(map(int, np.unravel_index(np.ravel_multi_index(index, folded), blob.shape)))
        return Factor(float(getattr(blob, which)[at]), Place(kind, 0, which, at))

    def weight(k: int, i: int) -> Factor:
        index = (i, k) if transpose else (k, i)
        return Factor(float(layer.param_data(0)[index]), Place("param", 0, "data", index))

    def folded(blob, shape: tuple[int, int]) -> tuple[int, int]:
        row, column = np.unravel_index(np.ravel_multi_index(place.index, blob.shape), shape)
        return int(row), int(column)

    if place.kind == "top":
        n, k = folded(top[0], y)
        found: list[Term] = [(weight(k, i), number("bottom", "data", bottom[0], (n, i), x))
                             for i in range(layer.inner)]
        if layer.options.bias_term:
            found.append((Factor(float(layer.param_data(1)[k]), Place("param", 1, "data", (k,)), "bias"),))
        return Terms(place, found, "a row of x times the weights of this output, and the bias")
    if place.kind == "bottom":
        n, i = folded(bottom[0], x)
        found = [(number("top", "diff", top[0], (n, k), y), weight(k, i)) for k in range(y[1])]
        return Terms(place, found, "every dy of this row, times the weight that led to it")
    if place.number:
        return Terms(place, [(number("top", "diff", top[0], (n, place.index[0]), y),) for n in range(layer.rows)],
                     "the sum of all dy of this output")
    k, i = place.index[::-1] if transpose else place.index
    found = [(number("top", "diff", top[0], (n, k), y), number("bottom", "data", bottom[0], (n, i), x))
             for n in range(layer.rows)]
    return Terms(place, found, "row by row, the dy of this output times the x that this weight met")
