"""Layers with weights that are multiplied with their input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.errors import NetError
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports
from blobnet.layers.weighted._margin import margin_level
from blobnet.layers.weighted.margin_inner_product import TINY

Sizes = Sequence[int]  # one for each spatial axis
MOST_SPATIAL = 3  # axes of kernels that runtimes know


@exports("Convolution", "ConvolutionDepthwise", "DepthwiseConvolution")
def convolution(layer: Any, part: Part, *x: str) -> list[str]:
    return convolved(layer, part, x, "Conv", pads=end_pads(layer.bottom_shape[2:], layer.top_shape[2:], *layer.sliding))


@exports("Deconvolution")
def deconvolution(layer: Any, part: Part, *x: str) -> list[str]:
    return convolved(layer, part, x, "ConvTranspose", pads=[*layer.sliding.pad] * 2)


def convolved(layer: Any, part: Part, x: Sequence[str], kind: str, pads: Sequence[int]) -> list[str]:
    """Every bottom through the same kernels, by an operator of this kind."""
    kernel, stride, _, dilation = map(list, layer.sliding)
    if len(kernel) > MOST_SPATIAL:
        raise NetError(layer.where, f"kernels of {len(kernel)} axes, of which runtimes know {MOST_SPATIAL} at most")
    parameters = part.all_parameters()
    tops, bare = [], not kernel
    if bare:  # a kernel without axes is one of a single place
        kernel, stride, dilation, pads = [1], [1], [1], [0, 0]
        parameters[0] = part.parameter(0, (*layer.param_data(0).shape, 1))
    for each in x:
        if bare or layer.axis != 1:
            each = part.reshape(each, (*layer.bottom_shape, *(1,) * bare))
        y = part.add(kind, each, *parameters, kernel_shape=kernel, strides=stride, dilations=dilation, pads=list(pads),
                     group=layer.group)
        tops.append(part.reshape(y, part.top_shapes[0]) if bare or layer.axis != 1 else y)
    return tops


def end_pads(sizes: Sizes, outs: Sizes, kernels: Sizes, strides: Sizes, pads: Sizes, dilations: Sizes) -> list[int]:
    """The padding before all axes, then that after them: more than `pads` where the last place reaches further."""
    ends = [max(pad, (out - 1) * stride + dilation * (kernel - 1) + 1 - size - pad)
            for size, out, kernel, stride, pad, dilation in zip(sizes, outs, kernels, strides, pads, dilations)]
    return [*pads, *ends]


@exports("InnerProduct")
def inner_product(layer: Any, part: Part, x: str) -> str:
    if part.bottom_shapes[0] != (layer.rows, layer.inner):
        x = part.add("Flatten", x, axis=layer.axis)
    parameters = part.all_parameters()
    y = part.add("Gemm", x, *parameters, transB=int(not layer.options.transpose))
    return y if len(part.top_shapes[0]) == 2 else part.reshape(y, part.top_shapes[0])


@exports("Bias")
def bias(layer: Any, part: Part, x: str, second: str = "") -> str:
    return part.add("Add", x, second_of(layer, part, 0, second))


@exports("Scale")
def scale(layer: Any, part: Part, x: str, second: str = "") -> str:
    y = part.add("Mul", x, second_of(layer, part, 0, second))
    return part.add("Add", y, second_of(layer, part, len(layer.blobs) - 1)) if layer.options.bias_term else y


def second_of(layer: Any, part: Part, index: int, bottom: str = "") -> str:
    """A factor or bias, with as many axes as it takes to spread over x: the second bottom, or a parameter."""
    x = part.bottom_shapes[0]
    shape = part.bottom_shapes[1] if bottom else layer.blobs[index].shape
    axis = layer.options.axis % len(x) if shape else 0
    spread = (*shape, *(1,) * (len(x) - axis - len(shape)))
    if not bottom:
        return part.parameter(index, spread)
    return bottom if spread == shape else part.reshape(bottom, spread)


@exports("Axpy")
def axpy(layer: Any, part: Part, a: str, x: str, z: str) -> str:
    factors = (*part.bottom_shapes[1][:2], *(1,) * (len(part.bottom_shapes[1]) - 2))
    a = a if part.bottom_shapes[0] == factors else part.reshape(a, factors)
    return part.add("Add", part.add("Mul", x, a), z)


@exports("Embed")
def embed(layer: Any, part: Part, x: str) -> str:
    y = part.add("Gather", part.parameter(0), part.add("Cast", x, to=7), axis=0)
    return part.add("Add", y, part.parameter(1)) if layer.options.bias_term else y


@exports("Parameter")
def parameter(layer: Any, part: Part) -> str:
    return part.add("Identity", part.parameter(0))


@exports("Im2col")
def im2col(layer: Any, part: Part, x: str) -> str:
    """A convolution of every channel with kernels that each have a single 1."""
    kernel, stride, _, dilation = map(list, layer.sliding)
    if len(kernel) > MOST_SPATIAL:
        raise NetError(layer.where, f"kernels of {len(kernel)} axes, of which runtimes know {MOST_SPATIAL} at most")
    channels, places = layer.bottom_shape[1], math.prod(kernel)
    weight = np.tile(np.eye(places, dtype=np.float32).reshape(places, 1, *kernel), (channels, 1, *(1,) * len(kernel)))
    x = x if layer.axis == 1 else part.reshape(x, layer.bottom_shape)
    y = part.add("Conv", x, part.numbers("patches", weight), kernel_shape=kernel, strides=stride, dilations=dilation,
                 pads=end_pads(layer.bottom_shape[2:], layer.top_shape[2:], *layer.sliding), group=channels)
    return y if layer.axis == 1 else part.reshape(y, part.top_shapes[0])


@exports("InnerDistance")
def inner_distance(layer: Any, part: Part, x: str, centres: str = "", labels: str = "") -> str:
    x = part.reshape(x, (layer.rows, 1, layer.size))
    if centres:
        c = part.reshape(centres, (1, layer.count, layer.size))
    else:
        values = layer.param_data(0).reshape(layer.count, layer.size)
        if layer.options.normalize:
            values = values / np.sqrt(np.square(values).sum(axis=1, keepdims=True) + 1e-6)
        c = part.changed(0, values[None])
    difference = part.add("Sub", x, c)
    powers = part.add("Mul", difference, difference) if layer.options.distance_type == "L2" else part.add(
        "Abs", difference)
    return part.reshape(part.total(powers, [2]), part.top_shapes[0])


@exports("MarginInnerProduct")
def margin_inner_product(layer: Any, part: Part, x: str, labels: str) -> list[str]:
    """The product with weights of length 1, and in the column of each row's own class the angle times m."""
    weight, m, level = layer.param_data(0), 1 + layer.options.type, margin_level(layer.options, layer.context.step)
    weight = weight / np.maximum(np.sqrt(np.square(weight).sum(axis=1, keepdims=True)), TINY)
    x = x if part.bottom_shapes[0] == layer.rows else part.add("Flatten", x, axis=layer.axis)
    y = part.add("Gemm", x, part.changed(0, weight), transB=1)
    length = part.add("Max", part.add("Sqrt", part.total(part.add("Mul", x, x), [1])), TINY)
    c = part.add("Div", y, length)
    own = part.add("Mul", length, multiplied_angle(part, c, m))
    own = part.add("Div", part.add("Add", part.add("Mul", y, level), own), 1 + level)
    labels = part.add("Cast", part.reshape(labels, (layer.rows[0], 1)), to=7)
    y = part.add("Where", part.add("Equal", labels, np.arange(len(weight))), own, y)
    y = y if part.top_shapes[0] == (layer.rows[0], len(weight)) else part.reshape(y, part.top_shapes[0])
    return [y, part.add("Identity", part.constant([level]))]


def multiplied_angle(part: Part, c: str, m: int) -> str:
    """(-1)^j cos(m a) - 2 j of angles with cosines c, as blobnet.ops.angles has it."""
    add = part.add
    squares, sign = add("Mul", c, c), add("Sign", c)
    if m == 1:
        return c
    if m == 2:
        return add("Sub", add("Mul", add("Mul", sign, squares), 2.0), 1.0)
    if m == 3:
        s = add("Sign", add("Sub", add("Abs", c), 0.5))
        cosine = add("Mul", c, add("Sub", add("Mul", squares, 4.0), 3.0))
        return add("Sub", add("Add", add("Mul", s, cosine), add("Mul", sign, add("Add", s, 1.0))), 2.0)
    s = add("Mul", sign, add("Sign", add("Sub", add("Mul", squares, 2.0), 1.0)))
    cosine = add("Add", add("Mul", add("Mul", squares, 8.0), add("Sub", squares, 1.0)), 1.0)
    return add("Add", add("Add", add("Mul", s, cosine), add("Mul", sign, 2.0)), add("Sub", s, 3.0))
