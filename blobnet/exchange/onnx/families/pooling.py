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
        y, places = max_pool(part, x, layer.axes, places=True)
        return [y, part.add("Cast", in_plane(part, y, places, layer.axes), to=1)]
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


def max_pool(part: Part, x: str, axes: Sequence[Axis], places: bool = False) -> Any:
    """The maxima; with `places` also where they lie, in the whole of x."""
    if is_whole(axes) and not places:
        return part.add("GlobalMaxPool", x)
    x, pads = padded(part, x, axes, LOWEST)
    return part.add("MaxPool", x, outputs=1 + places, pads=pads, **windows(axes))


def in_plane(part: Part, y: str, places: str, axes: Sequence[Axis]) -> str:
    """The places in the plane of x for the `places` of the maxima y, which count those of all planes, and what they
    were padded with; -1 for a window that lies outside of x."""
    begin, end = paddings(axes)
    if fit(axes):
        return part.add("Mod", places, math.prod(axis.size for axis in axes))
    found, step = part.constant(0), 1
    for axis, before, after in reversed(list(zip(axes, begin, end))):
        along = part.add("Sub", part.add("Mod", places, axis.size + before + after), before)
        found = part.add("Add", found, part.add("Mul", along, step))
        places, step = part.add("Div", places, axis.size + before + after), step * axis.size
    return part.add("Where", part.add("Greater", y, LOWEST), found, -1)


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
    x, pads = padded(part, x, axes, 0.0)
    return part.add("AveragePool", x, pads=pads, count_include_pad=1, **windows(axes))


def windows(axes: Sequence[Axis]) -> dict[str, Any]:
    """The attributes of the windows."""
    return {"kernel_shape": [axis.taps for axis in axes], "strides": [axis.stride for axis in axes]}


def is_whole(axes: Sequence[Axis]) -> bool:
    """Whether there is one window, of the whole plane."""
    return all(axis.out == 1 and axis.taps == axis.size and not axis.pad for axis in axes)


def padded(part: Part, x: str, axes: Sequence[Axis], value: float) -> tuple[str, list[int]]:
    """x and the padding that lets the operator make as many windows as the layer has. Where it is no less than a
    window, which operators refuse, x is padded with `value` before."""
    begin, end = paddings(axes)
    if fit(axes):
        return x, begin + end
    return part.add("Pad", x, [0, 0, *begin, 0, 0, *end], value), [0] * 2 * len(axes)


def paddings(axes: Sequence[Axis]) -> tuple[list[int], list[int]]:
    """How much padding the windows reach into, before each axis and after it."""
    return [axis.pad for axis in axes], [
        max(0, (axis.out - 1) * axis.stride + axis.taps - axis.size - axis.pad) for axis in axes]


def fit(axes: Sequence[Axis]) -> bool:
    """Whether all padding is less than a window."""
    return all(pad < axis.taps for pads in paddings(axes) for pad, axis in zip(pads, axes))
