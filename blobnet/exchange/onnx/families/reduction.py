"""Layers that combine or normalise along an axis."""

from __future__ import annotations

import math
from typing import Any

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("ArgMax")
def arg_max(layer: Any, part: Part, x: str) -> str:
    outer, length, inner = layer.grouped
    options, k = layer.options, layer.options.top_k
    x = part.reshape(x, layer.grouped)
    backward = part.slice(x, [-1], [-length - 1], [1], [-1])  # of equal values the first one is taken
    values, places = part.add("TopK", backward, [k], outputs=2, axis=1)
    places = part.add("Sub", float(length - 1), part.add("Cast", places, to=1))
    if not options.out_max_val:
        return part.reshape(places, part.top_shapes[0])
    if options.HasField("axis"):
        return part.reshape(values, part.top_shapes[0])
    both = part.add("Concat", *(part.reshape(each, (outer, 1, k)) for each in (places, values)), axis=1)
    return part.reshape(both, part.top_shapes[0])


@exports("Eltwise")
def eltwise(layer: Any, part: Part, *x: str) -> str:
    if layer.operation == "max":
        return part.add("Max", *x)
    if layer.operation == "prod":
        product = x[0]
        for each in x[1:]:
            product = part.add("Mul", product, each)
        return product
    terms = [each if factor == 1 else part.add("Mul", each, factor) for each, factor in zip(x, layer.coefficients)]
    return part.add("Add", *terms) if len(terms) == 2 else part.add("Sum", *terms)


@exports("Reduction")
def reduction(layer: Any, part: Part, x: str) -> str:
    options, shape = layer.options, part.bottom_shapes[0]
    axes = list(range(len(part.top_shapes[0]), len(shape)))
    if options.operation == options.MEAN and math.prod(shape):
        y, factor = part.mean(x, axes, keepdims=False), options.coeff
    else:
        x = {options.ASUM: lambda: part.add("Abs", x), options.SUMSQ: lambda: part.add("Mul", x, x)}.get(
            options.operation, lambda: x)()
        y, factor = part.total(x, axes, keepdims=False), layer.factor
    return y if factor == 1 else part.add("Mul", y, factor)


@exports("Softmax")
def softmax(layer: Any, part: Part, x: str) -> str:
    return part.add("Softmax", x, axis=layer.options.axis)
