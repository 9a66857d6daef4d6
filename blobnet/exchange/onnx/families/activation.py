"""Element-wise functions."""

from __future__ import annotations

from typing import Any

from blobnet.errors import NetError
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("AbsVal")
def abs_val(layer: Any, part: Part, x: str) -> str:
    return part.add("Abs", x)


@exports("BNLL")
def bnll(layer: Any, part: Part, x: str) -> str:
    return part.add("Softplus", x)


@exports("Clip")
def clip(layer: Any, part: Part, x: str) -> str:
    low, high = layer.options.min, layer.options.max
    return part.add("Clip", x, low, high) if low <= high else part.add("Max", part.add("Min", x, high), low)


@exports("Dropout")
def dropout(layer: Any, part: Part, x: str) -> str:
    if layer.draws:
        raise NetError(layer.where, "it draws at random, also in TEST", hint="write sample_weights_test: false")
    return x if layer.factor == 1 else part.add("Mul", x, layer.factor)


@exports("ELU")
def elu(layer: Any, part: Part, x: str) -> str:
    return part.add("Elu", x, alpha=layer.options.alpha)


@exports("Exp")
def exp(layer: Any, part: Part, x: str) -> str:
    inner = x if layer.inner == 1 else part.add("Mul", x, layer.inner)
    y = part.add("Exp", inner)
    return y if layer.outer == 1 else part.add("Mul", y, layer.outer)


@exports("Log")
def log(layer: Any, part: Part, x: str) -> str:
    y = part.add("Log", linear(part, x, layer.options.scale, layer.options.shift))
    return y if layer.factor == 1 else part.add("Mul", y, layer.factor)


@exports("PiecewiseThreshold")
def piecewise_threshold(layer: Any, part: Part, x: str) -> str:
    below_one = part.add("Where", part.add("Greater", x, layer.high), 1.0, x)
    return part.add("Where", part.add("Less", x, layer.low), 0.0, below_one)


@exports("Power")
def power(layer: Any, part: Part, x: str) -> str:
    if layer.slope == 0:
        return part.add("Expand", float(layer.constant), part.add("Shape", x))
    base = linear(part, x, layer.scale, layer.shift)
    return base if layer.power == 1 else part.add("Pow", base, layer.power)


@exports("PReLU")
def prelu(layer: Any, part: Part, x: str) -> str:
    axes = len(part.bottom_shapes[0])
    return part.add("PRelu", x, part.parameter(0, (-1, *(1,) * (axes - 2))))


@exports("ReLU")
def relu(layer: Any, part: Part, x: str) -> str:
    slope = layer.options.negative_slope
    return part.add("LeakyRelu", x, alpha=slope) if slope else part.add("Relu", x)


@exports("ReLU6")
def relu6(layer: Any, part: Part, x: str) -> str:
    y, slope = part.add("Clip", x, 0.0, layer.options.n), layer.options.negative_slope
    return part.add("Add", y, part.add("Mul", part.add("Min", x, 0.0), slope)) if slope else y


@exports("ScaleTanH")
def scale_tanh(layer: Any, part: Part, x: str) -> str:
    return part.add("Tanh", part.add("Mul", x, layer.scale_at(layer.context.step)))


@exports("Sigmoid")
def sigmoid(layer: Any, part: Part, x: str) -> str:
    return part.add("Sigmoid", x)


@exports("StraightThroughSign")
def straight_through_sign(layer: Any, part: Part, x: str) -> str:
    return part.add("Where", part.add("GreaterOrEqual", x, 0.0), 1.0, -1.0)


@exports("Swish")
def swish(layer: Any, part: Part, x: str) -> str:
    return part.add("Mul", x, part.add("Sigmoid", part.add("Mul", x, layer.options.beta)))


@exports("TanH")
def tanh(layer: Any, part: Part, x: str) -> str:
    return part.add("Tanh", x)


@exports("Threshold")
def threshold(layer: Any, part: Part, x: str) -> str:
    return part.add("Cast", part.add("Greater", x, layer.options.threshold), to=1)


def linear(part: Part, x: str, scale: float, shift: float) -> str:
    """shift + scale * x."""
    x = x if scale == 1 else part.add("Mul", x, scale)
    return x if shift == 0 else part.add("Add", x, shift)
