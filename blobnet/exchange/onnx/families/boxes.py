"""Layers that pool inside of boxes, and boxes that are there from the start."""

from __future__ import annotations

from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports

DOUBLE = 11  # of TensorProto


@exports("PriorBox")
def prior_box(layer: Any, part: Part, x: str, image: str) -> str:
    return part.add("Identity", part.numbers("priors", layer.priors[None]))


@exports("ROIPooling")
def roi_pooling(layer: Any, part: Part, x: str, boxes: str) -> str:
    return part.add("MaxRoiPool", x, rows_of_boxes(part, boxes), pooled_shape=list(layer.grid),
                    spatial_scale=layer.options.spatial_scale)


@exports("PSROIPooling")
def psroi_pooling(layer: Any, part: Part, x: str, boxes: str) -> str:
    """Sums from the corner of the map on, in float64, of which each bin takes four."""
    add, bins = part.add, layer.group
    _, channels, height, width = part.bottom_shapes[0]
    boxes = rows_of_boxes(part, boxes)
    image = add("Unsqueeze", add("Cast", part.slice(boxes, [0], [1], [1]), to=7), [2, 3])
    first = add("Mul", rounded(part, part.slice(boxes, [1], [3], [1])), layer.options.spatial_scale)
    last = add("Mul", add("Add", rounded(part, part.slice(boxes, [3], [5], [1])), 1.0), layer.options.spatial_scale)
    step = add("Div", add("Max", add("Sub", last, first), 0.1), float(bins))
    # (R, 2, bins + 1): x and y of the edges of the bins.
    edges = add("Add", add("Mul", add("Unsqueeze", step, [2]), np.arange(bins + 1.0)), add("Unsqueeze", first, [2]))
    most = part.constant(np.array([width, height], np.float32).reshape(1, 2, 1))

    def places(kind: str, start: int) -> str:
        inside = add("Min", add("Max", add(kind, part.slice(edges, [start], [start + bins], [2])), 0.0), most)
        return add("Cast", inside, to=7)

    ends = places("Floor", 0), places("Ceil", 1)
    columns, rows = ([add("Unsqueeze", part.slice(end, [k], [k + 1], [1]), [2 - k]) for end in ends] for k in (0, 1))
    rows = [add("Transpose", row, perm=[0, 1, 3, 2]) for row in rows]  # (R, 1, G, 1), columns (R, 1, 1, G)
    area = add("Mul", add("Sub", rows[1], rows[0]), add("Sub", columns[1], columns[0]))
    share = add("Div", 1.0, add("Cast", add("Max", area, 1), to=1))
    share = add("Cast", add("Where", add("Greater", area, 0), share, 0.0), to=DOUBLE)
    sums = add("CumSum", add("CumSum", add("Cast", x, to=DOUBLE), part.constant(2)), part.constant(3))
    zero = part.constant(0.0, np.float64)
    sums = part.reshape(add("Pad", sums, [0, 0, 1, 1, 0, 0, 0, 0], zero), [-1])
    plane = add("Add", add("Mul", image, channels), np.arange(channels).reshape(1, -1, bins, bins))
    total = ""
    for i, j, kind in ((1, 1, "Add"), (0, 1, "Sub"), (1, 0, "Sub"), (0, 0, "Add")):
        row = add("Add", add("Mul", plane, height + 1), rows[i])
        corner = add("Gather", sums, add("Add", add("Mul", row, width + 1), columns[j]))
        total = add(kind, total, corner) if total else corner
    return add("Cast", add("Mul", total, share), to=1)


def rows_of_boxes(part: Part, boxes: str) -> str:
    """Bottom 1 as (R, 5)."""
    return boxes if len(part.bottom_shapes[1]) == 2 else part.reshape(boxes, (part.bottom_shapes[1][0], 5))


def rounded(part: Part, x: str) -> str:
    """x, rounded to whole numbers, halves away from 0."""
    size = part.add("Abs", x)
    whole = part.add("Floor", size)
    half = part.add("Cast", part.add("GreaterOrEqual", part.add("Sub", size, whole), 0.5), to=1)
    return part.add("Mul", part.add("Sign", x), part.add("Add", whole, half))
