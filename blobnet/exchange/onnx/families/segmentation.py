"""Enlarging maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("Interp")
def interp(layer: Any, part: Part, x: str, like: str = "") -> str:
    rows, columns = layer.matrices
    y = part.add("MatMul", part.numbers("rows", rows), x)
    return part.add("MatMul", y, part.numbers("columns", np.ascontiguousarray(columns.T)))


@exports("Upsample")
def upsample(layer: Any, part: Part, x: str, mask: str) -> str:
    num, channels, *plane = part.top_shapes[0]
    rows = num, channels, math.prod(part.bottom_shapes[0][2:])
    places = part.reshape(part.add("Cast", mask, to=7), rows)
    sizes = part.add("Concat", part.add("Shape", x, end=2), [math.prod(plane)], axis=0)
    zeros = part.add("ConstantOfShape", sizes)
    y = part.add("ScatterElements", zeros, places, part.reshape(x, rows), axis=2)
    return part.reshape(y, part.top_shapes[0])


@exports("UpsampleNearest")
def upsample_nearest(layer: Any, part: Part, x: str) -> str:
    return part.add("Resize", x, "", [1.0, 1.0, *map(float, layer.scale)], mode="nearest",
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")
