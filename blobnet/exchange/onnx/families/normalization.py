"""Layers that bring activities to a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports
from blobnet.layers.normalization.channel_normalize import EPS as CHANNEL_EPS
from blobnet.layers.normalization.segnet_bn import EPS as SEGNET_EPS


@exports("BatchNorm")
def batch_norm(layer: Any, part: Part, x: str) -> str:
    shape, eps = part.bottom_shapes[0], layer.options.eps
    if not layer.use_global:
        return standardized(part, x, [axis for axis in range(len(shape)) if axis != 1 or len(shape) == 1], eps)[0]
    factor = layer.param_data(2)[0]
    mean, variance = (layer.param_data(i) / factor if factor else layer.param_data(i) * 0 for i in range(2))
    ones, zeros = np.ones_like(mean), np.zeros_like(mean)
    if len(shape) == 1:
        return part.add("Mul", part.add("Sub", x, mean), 1 / np.sqrt(variance + eps))
    return batch_normalization(part, x, ones, zeros, mean, variance, eps)


@exports("PSPNetBN")
def pspnet_bn(layer: Any, part: Part, x: str) -> str:
    slope, bias, mean, variance = (layer.param_data(i).reshape(-1) for i in range(4))
    return batch_normalization(part, x, slope, bias, mean, variance, layer.options.eps)


@exports("SegNetBN")
def segnet_bn(layer: Any, part: Part, x: str) -> list[str]:
    axes = len(part.bottom_shapes[0])
    slope, bias = (part.parameter(i, (-1, *(1,) * (axes - 2))) for i in range(2))
    if not layer.takes_statistics:
        return [part.add("Add", part.add("Mul", x, slope), bias)]
    normalized, *statistics = standardized(part, x, [axis for axis in range(axes) if axis != 1], SEGNET_EPS)
    y = part.add("Add", part.add("Mul", normalized, slope), bias)
    return [y, *(part.reshape(each, layer.shape) for each in statistics[:len(part.top_shapes) - 1])]


def batch_normalization(part: Part, x: str, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray,
                        variance: np.ndarray, eps: float) -> str:
    """BatchNormalization with these numbers of the channels."""
    named = {"scale": scale, "bias": bias, "mean": mean, "variance": variance}
    return part.add("BatchNormalization", x, *(part.numbers(*each) for each in named.items()), epsilon=eps)


def standardized(part: Part, x: str, axes: Sequence[int], eps: float, outside: bool = False) -> tuple[str, str, str]:
    """(x - mean) / sqrt(variance + eps), with mean and variance over these axes; they too. outside: eps is added to the
    root."""
    mean = part.mean(x, axes)
    centred = part.add("Sub", x, mean)
    variance = part.mean(part.add("Mul", centred, centred), axes)
    deviation = part.add("Sqrt", variance if outside else part.add("Add", variance, eps))
    deviation = part.add("Add", deviation, eps) if outside else deviation
    return part.add("Div", centred, deviation), mean, variance


@exports("MVN")
def mvn(layer: Any, part: Part, x: str) -> str:
    if len(part.bottom_shapes[0]) < 4:
        x = part.reshape(x, part.top_shapes[0])
    axes = [1, 2, 3] if layer.options.across_channels else [2, 3]
    if not layer.options.normalize_variance:
        return part.add("Sub", x, part.mean(x, axes))
    return standardized(part, x, axes, layer.options.eps, outside=True)[0]


@exports("LRN")
def lrn(layer: Any, part: Part, x: str) -> str:
    options, size = layer.options, layer.options.local_size
    if options.norm_region == options.ACROSS_CHANNELS:
        return part.add("LRN", x, alpha=options.alpha, beta=options.beta, bias=options.k, size=size)
    energy = part.add("AveragePool", part.add("Mul", x, x), kernel_shape=[size] * 2, strides=[1, 1],
                      pads=[size // 2] * 4, count_include_pad=1)
    scale = part.add("Add", part.add("Mul", energy, options.alpha), 1.0)
    return part.add("Mul", x, part.add("Pow", scale, -options.beta))


@exports("L2Norm")
def l2_norm(layer: Any, part: Part, x: str) -> str:
    axes = list(range(1, len(part.bottom_shapes[0])))
    return part.add("Div", x, length(part, x, axes))


@exports("ChannelNormalize")
def channel_normalize(layer: Any, part: Part, x: str) -> list[str]:
    if part.bottom_shapes[0] != part.top_shapes[0]:
        x = part.reshape(x, part.top_shapes[0])
    if layer.squares:
        r = length(part, x, [1], CHANNEL_EPS)
    else:
        r = part.add("Add", part.total(part.add("Abs", x), [1]), CHANNEL_EPS)
    return [part.add("Div", x, r), r][:len(part.top_shapes)]


@exports("SSDNormalize")
def ssd_normalize(layer: Any, part: Part, x: str) -> str:
    axes = len(part.bottom_shapes[0])
    r = length(part, x, list(range(1, axes)) if layer.options.across_spatial else [1], layer.options.eps)
    return part.add("Mul", part.add("Div", x, r), part.parameter(0, (-1, *(1,) * (axes - 2))))


def length(part: Part, x: str, axes: Sequence[int], eps: float = 0.0) -> str:
    """sqrt(sum of x^2 over some axes + eps)."""
    total = part.total(part.add("Mul", x, x), axes) if axes else part.add("Mul", x, x)
    return part.add("Sqrt", part.add("Add", total, eps) if eps else total)
