"""Normalisation by stored statistics, put into the weights before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Parameter, Part
from blobnet.exchange.onnx.wires import State, Wires

CHANNELS = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0}  # operators with weights, and the axis of their outputs there
Affine = tuple[np.ndarray, np.ndarray]


def fold(wires: Wires, parts: Sequence[Part]) -> None:
    """Change `parts` so that a layer with weights does what BatchNorm and then Scale would do with its channels, where
    nothing else reads its top. Those hand on what they get."""
    of = {wired: part for wired, part in zip(wires.layers, parts)}
    weighted: dict[State, Part] = {}  # what the parts make whose weights can take more
    for wired, part in of.items():
        kinds = [operation.kind for operation in part.operations]
        if kinds and kinds[-1] in CHANNELS and not any(kind in CHANNELS for kind in kinds[:-1]):
            weighted[wired.writes[0]] = part
            continue
        before = weighted.get(wired.reads[0]) if len(wired.reads) == len(wired.writes) == 1 else None
        readers = [reader for reader, _ in wired.reads[0].readers if reader in of] if before else []
        affine = of_channels(part.layer) if len(readers) == 1 and wired.reads[0] not in wires.outputs else None
        if before and affine:
            _take_up(before, *affine)
            part.operations, part.constants, part.parameters, part.tops = [], {}, {}, list(part.bottoms)
            weighted[wired.writes[0]] = before


def of_channels(layer: Any) -> Affine | None:
    """factor and shift (C) of a layer that is y = factor * x + shift in every channel; None for other layers."""
    kind, numbers = type(layer).__name__, [blob.data.astype(np.float64).reshape(-1) for blob in layer.blobs]
    if kind == "BatchNorm" and layer.use_global:
        mean, variance, (divisor,) = numbers
        mean, variance = (values / divisor if divisor else values * 0 for values in (mean, variance))
        factor = 1 / np.sqrt(variance + layer.options.eps)
        return factor, -mean * factor
    if kind == "PSPNetBN":
        slope, bias, mean, variance = numbers
        factor = slope / np.sqrt(variance + layer.options.eps)
        return factor, bias - mean * factor
    if kind == "SegNetBN" and not layer.takes_statistics:
        return numbers[0], numbers[1]
    if kind == "Scale" and len(layer.param.bottom) == 1 and layer.options.axis == layer.options.num_axes == 1:
        return numbers[0], numbers[1] if layer.options.bias_term else np.zeros_like(numbers[0])
    return None


def _take_up(part: Part, factor: np.ndarray, shift: np.ndarray) -> None:
    """Let the last operator of a part make factor * y + shift in the place of y."""
    operation, weight = part.operations[-1], part.parameters["weight"].values.astype(np.float64)
    axis, groups = CHANNELS[operation.kind], operation.attributes.get("group", 1)
    if operation.kind == "Gemm" and not operation.attributes["transB"]:
        axis = 1
    if axis and groups > 1:  # (C, K / groups, ...): the outputs of a group stand beside its own channels
        spread = np.repeat(factor.reshape(groups, -1), weight.shape[0] // groups, axis=0)
        spread = spread.reshape(*weight.shape[:2], *(1,) * (weight.ndim - 2))
    else:
        spread = factor.reshape(*(1,) * axis, -1, *(1,) * (weight.ndim - 1 - axis))
    part.parameters["weight"] = Parameter((weight * spread).astype(np.float32))
    bias = part.parameters["bias"].values if "bias" in part.parameters else np.zeros_like(factor)
    part.parameters["bias"] = Parameter((bias * factor + shift).astype(np.float32))
    operation.inputs = [*operation.inputs[:2], "bias"]
