"""Windows reduced to one number."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports
from blobnet.ops.axes import Axis

LOWEST = float(np.finfo(np.float32).min)  # the maximum of no number


@exports("Pooling")
def pooling(layer: Any, part: Part, x: str) -> list[str]:
    if len(part.top_shapes) == 2:
        y, places = max_pool_with_places(part, x, layer.axes)
        return [y, part.add("Cast", places, to=1)]
    return [pool(part, x, layer.method, layer.axes)]


@exports("Pooling3D")
def pooling3d(layer: Any, part: Part, x: str) -> str:
    return pool(part, x, "AVE" if layer.average else "MAX", layer.axes)


@exports("SPP")
def spp(layer: Any, part: Part, x: str) -> str:
    grids = [pool(part, x, layer.method, axes) for axes in layer.grids]
    if len(grids) == 1:
        return grids[0]
    return part.add("Concat", *(part.add("Flatten", grid, axis=1) for grid in grids), axis=1)


def pool(part: Part, x: str, method: str, axes: Sequence[Axis]) -> str:
    """The maximum (MAX), the average (AVE), or the sum of squares over the sum (STOCHASTIC) of every window."""
    if method == "MAX":
        return max_pool(part, x, axes)
    if method == "AVE":
        return average_pool(part, x, axes)
    squares, sums = (window_means(part, each, axes) for each in (part.add("Mul", x, x), x))
    return part.add("Where", part.add("Greater", sums, 0.0), part.add("Div", squares, sums), 0.0)


def max_pool(part: Part, x: str, axes: Sequence[Axis]) -> str:
    """The maxima; LOWEST for a window that lies outside of x."""
    if is_whole(axes):
        return part.add("GlobalMaxPool", x)
    return with_outer(part, part.add("MaxPool", x, **windows(axes)), axes, LOWEST)


def max_pool_with_places(part: Part, x: str, axes: Sequence[Axis]) -> tuple[str, str]:
    """The maxima, and where they lie in the plane of x; -1 for a window that lies outside of it."""
    y, places = part.add("MaxPool", x, outputs=2, **windows(axes))  # the places count the numbers of all planes
    in_plane = part.add("Mod", places, math.prod(axis.size for axis in axes))
    return with_outer(part, y, axes, LOWEST), with_outer(part, in_plane, axes, -1)


def average_pool(part: Part, x: str, axes: Sequence[Axis]) -> str:
    """The averages, of which each is divided by the numbers of its window and the padding of the layer in it."""
    if is_whole(axes):
        return part.add("GlobalAveragePool", x)
    means = window_means(part, x, axes)
    shares = [np.array([share(axis, p) for p in range(axis.out)]) for axis in axes]
    if all((along == 1).all() for along in shares):
        return means
    return part.add("Mul", means, functools.reduce(np.multiply.outer, shares))


def share(axis: Axis, p: int) -> float:
    """The length of a window divided by what the layer counts of it: nothing beyond the padding. nan if that is 0."""
    start = p * axis.stride - axis.pad
    counted = min(start + axis.taps, axis.size + axis.pad) - start
    return axis.taps / counted if counted else math.nan


def window_means(part: Part, x: str, axes: Sequence[Axis]) -> str:
    """The sum over every window, divided by the places that it has whether there is anything or not."""
    return with_outer(part, part.add("AveragePool", x, count_include_pad=1, **windows(axes)), axes, 0.0)


def reaching(axis: Axis) -> range:
    """The numbers of the windows along an axis that reach into it; the others lie in the padding, or behind it."""
    starts = range(-axis.pad, -axis.pad + axis.out * axis.stride, axis.stride)
    inside = [p for p, start in enumerate(starts) if -axis.taps < start < axis.size]
    return range(inside[0], inside[-1] + 1)


def windows(axes: Sequence[Axis]) -> dict[str, Any]:
    """The attributes of the windows that reach into the plane: programs refuse padding of a whole window, and put a Pad
    before a pooling into its padding."""
    found = [reaching(axis) for axis in axes]
    begin = [axis.pad - inside[0] * axis.stride for axis, inside in zip(axes, found)]
    end = [max(0, inside[-1] * axis.stride - axis.pad + axis.taps - axis.size) for axis, inside in zip(axes, found)]
    return {"kernel_shape": [axis.taps for axis in axes], "strides": [axis.stride for axis in axes],
            "pads": begin + end}


def with_outer(part: Part, y: str, axes: Sequence[Axis], value: float) -> str:
    """y, of the windows that reach into the plane, between as many of `value` as there are other windows."""
    found = [reaching(axis) for axis in axes]
    before, after = [inside[0] for inside in found], [axis.out - 1 - inside[-1] for axis, inside in zip(axes, found)]
    return part.add("Pad", y, [0, 0, *before, 0, 0, *after], value) if any(before + after) else y


def is_whole(axes: Sequence[Axis]) -> bool:
    """Whether there is one window, of the whole plane."""
    return all(axis.out == 1 and axis.taps == axis.size and not axis.pad for axis in axes)
