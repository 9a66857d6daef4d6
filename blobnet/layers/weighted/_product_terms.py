"""The terms of a matrix product: rows of x (rows, inner) with the weights (outputs, inner)."""

from __future__ import annotations

import numpy as np

from blobnet.core.terms import Factor, Operand, Place, Terms, reindexed, sum_of_products


def product_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of one number of a layer with `rows`, `inner` and options num_output, transpose, bias_term."""
    x, y = (layer.rows, layer.inner), (layer.rows, layer.options.num_output)
    transpose, weight = layer.options.transpose, layer.param_data(0)

    def operand(kind: str, which: str, array, row, column, shape) -> Operand:
        return Operand(kind, 0, which, array, np.stack(np.broadcast_arrays(row, column), axis=-1).reshape(-1, 2), shape)

    def of_x(n, i) -> Operand:
        return operand("bottom", "data", bottom[0].data.reshape(x), n, i, bottom[0].shape)

    def of_dy(n, k) -> Operand:
        return operand("top", "diff", top[0].diff.reshape(y), n, k, top[0].shape)

    def of_weight(k, i) -> Operand:
        return operand("param", "data", weight, *((i, k) if transpose else (k, i)), weight.shape)

    rows, inputs, outputs = np.arange(layer.rows), np.arange(layer.inner), np.arange(y[1])
    if place.kind == "top":
        n, k = reindexed(place.index, top[0].shape, y)
        more = []
        if layer.options.bias_term:
            more.append((Factor(float(layer.param_data(1)[k]), Place("param", 1, "data", (k,)), "bias"),))
        return sum_of_products(place, [[of_weight(k, inputs), of_x(n, inputs)]], more,
                               "a row of x times the weights of this output, and the bias")
    if place.kind == "bottom":
        n, i = reindexed(place.index, bottom[0].shape, x)
        return sum_of_products(place, [[of_dy(n, outputs), of_weight(outputs, i)]], (),
                               "every dy of this row, times the weight that led to it")
    if place.number:
        return sum_of_products(place, [[of_dy(rows, place.index[-1])]], (), "the sum of all dy of this output")
    k, i = place.index[::-1] if transpose else place.index
    return sum_of_products(place, [[of_dy(rows, k), of_x(rows, i)]], (),
                           "row by row, the dy of this output times the x that this weight met")
