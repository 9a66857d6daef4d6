"""Layers that move numbers without changing them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports

END = int(np.iinfo(np.int64).max)


@exports("AutoCrop", "Crop")
def crop(layer: Any, part: Part, x: str, like: str) -> str:
    shape = part.bottom_shapes[0]
    slices = [index for index in layer.part if index is not Ellipsis]
    cut = [(axis, *index.indices(shape[axis])[:2]) for axis, index in enumerate(slices, len(shape) - len(slices))
           if index != slice(None)]
    axes, starts, ends = zip(*cut)
    return part.slice(x, starts, ends, axes)


@exports("BatchReindex")
def batch_reindex(layer: Any, part: Part, x: str, rows: str) -> str:
    return part.add("Gather", x, part.add("Cast", rows, to=7), axis=0)


@exports("Concat")
def concat(layer: Any, part: Part, *x: str) -> str:
    return part.add("Concat", *x, axis=layer.axis) if len(x) > 1 else x[0]


@exports("Filter")
def filter_rows(layer: Any, part: Part, *bottoms: str) -> list[str]:
    *x, selector = bottoms
    part.open += [(i, 0) for i in range(len(x))]
    marked = part.reshape(part.add("Cast", selector, to=9), [part.bottom_shapes[-1][0]])
    return [part.add("Compress", each, marked, axis=0) for each in x]


@exports("Flatten", "Reshape")
def reshape(layer: Any, part: Part, x: str) -> str:
    return part.reshape(x, part.top_shapes[0])


@exports("Flip")
def flip(layer: Any, part: Part, x: str) -> str:
    axes = [axis for axis, flipped in ((2, layer.options.flip_height), (3, layer.options.flip_width)) if flipped]
    return backwards(part, x, axes) if axes else x


@exports("Gather")
def gather(layer: Any, part: Part, *x: str) -> list[str]:
    return list(x)


@exports("Permute", "Transpose")
def permute(layer: Any, part: Part, x: str) -> str:
    return part.add("Transpose", x, perm=list(layer.order))


@exports("Reorg")
def reorg(layer: Any, part: Part, x: str) -> str:
    source, order, target = (layer.channels, (0, 3, 4, 1, 5, 2), layer.places) if layer.options.reverse else (
        layer.places, (0, 3, 5, 1, 2, 4), layer.channels)
    moved = part.add("Transpose", part.reshape(x, source), perm=list(order))
    return part.reshape(moved, part.top_shapes[0])


@exports("Reverse")
def reverse(layer: Any, part: Part, x: str) -> str:
    return backwards(part, x, [layer.options.axis])


@exports("ShuffleChannel")
def shuffle_channel(layer: Any, part: Part, x: str) -> str:
    turned = part.add("Transpose", part.reshape(x, layer.groups), perm=[0, 2, 1, 3, 4])
    return part.reshape(turned, part.top_shapes[0])


@exports("Slice")
def slice_parts(layer: Any, part: Part, x: str) -> list[str]:
    sizes = [shape[layer.axis] for shape in part.top_shapes]
    if len(sizes) == 1:
        return [x]
    if all(sizes):
        return part.add("Split", x, sizes, outputs=len(sizes), axis=layer.axis)
    edges = np.cumsum([0, *sizes]).tolist()
    return [part.slice(x, [a], [b], [layer.axis]) for a, b in pairwise(edges)]


@exports("Silence")
def silence(layer: Any, part: Part, *x: str) -> list[str]:
    return []


@exports("Tile")
def tile(layer: Any, part: Part, x: str) -> str:
    repeats = [new // old if old else 1 for old, new in zip(part.bottom_shapes[0], part.top_shapes[0])]
    return part.add("Tile", x, repeats)


def backwards(part: Part, x: str, axes: list[int]) -> str:
    """x with these axes turned round."""
    return part.slice(x, [-1] * len(axes), [-END] * len(axes), axes, [-1] * len(axes))
