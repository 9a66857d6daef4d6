"""Layers for films; Pooling3D stands beside Pooling."""

from __future__ import annotations

from typing import Any

from blobnet.exchange.onnx.families.weighted import end_pads
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("Convolution3D")
def convolution3d(layer: Any, part: Part, x: str) -> str:
    parameters = [part.parameter(0)]
    if layer.options.bias_term:
        parameters.append(part.parameter(1, (-1,)))
    pads = end_pads(part.bottom_shapes[0][2:], part.top_shapes[0][2:], layer.kernel, layer.stride, layer.pad, (1, 1, 1))
    return part.add("Conv", x, *parameters, kernel_shape=list(layer.kernel), strides=list(layer.stride), pads=pads)
