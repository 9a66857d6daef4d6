"""How the coordinates of one blob of a NetSpec lie in those of another, and the Crop layers that follow from it.

A map is (axis, scale, shift): coordinate x of a bottom is at scale * x + shift in the top, along all axes after `axis`,
which is None if it does not matter. Scale and shift are numbers, or arrays with one number for each axis.
Source: Long, Shelhamer, Darrell, Fully convolutional networks for semantic segmentation, CVPR 2015.
"""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.core.layer_type import IDENTITY, LayerType
from blobnet.core.registry import LAYERS
from blobnet.errors import NetError
from blobnet.pycaffe.net_spec import Function, Top, to_proto
from blobnet.pycaffe.net_spec import layers as L

SIDES = {f"{name}_{side}" for name in ("kernel", "stride", "pad") for side in "hw"}


class UndefinedMapException(NetError):
    """A layer whose tops have no coordinates in its bottoms, such as InnerProduct."""


class AxisMismatchException(NetError):
    """Two maps along different axes, one after the other."""


class UnconnectedError(NetError, RuntimeError):
    """Two blobs without a common origin; a RuntimeError as in pycaffe."""


class CropError(NetError, AssertionError):
    """Coordinates that no crop can bring together; an AssertionError as in pycaffe."""


def conv_params(fn: Function) -> tuple:
    """(axis, stride, kernel size with its dilation, pad) of a Convolution, Deconvolution, Im2col or Pooling."""
    given = fn.params.get(_declarations(fn).window_field, fn.params)
    where = f"coordinates of {fn.type_name}"
    if found := sorted(SIDES & set(given)):
        raise CropError(where, expected="kernel_size, stride and pad, with a list for unequal sides",
                        got=", ".join(found))
    if "kernel_size" not in given:
        raise UndefinedMapException(where, expected="a kernel_size", got="none")
    size, stride, pad, dilation = (np.array(given.get(key, default), ndmin=1) for key, default in
                                   (("kernel_size", None), ("stride", 1), ("pad", 0), ("dilation", 1)))
    return given.get("axis", 1), stride, (size - 1) * dilation + 1, pad


def __getattr__(name: str) -> list[str]:
    if name == "PASS_THROUGH_LAYERS":  # asked for anew: plug-ins add to it
        return sorted(kind for kind, cls in LAYERS.items() if cls.keeps_coordinates)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def crop_params(fn: Function) -> tuple:
    """(axis, offset) of a Crop; the axis is 2 unless it is given."""
    given = fn.params.get("crop_param", fn.params)
    return given.get("axis", 2), np.array(given.get("offset", 0), ndmin=1)


def coord_map(fn: Function) -> tuple:
    """The map from the bottoms of a layer to its tops; UndefinedMapException for layers that have none."""
    cls = _declarations(fn)
    if cls.window_field:
        conv_params(fn)  # raises for windows that have no map
    found = cls.coordinates(_layer(fn)) if cls is not LayerType else None
    if found is not None:
        return found
    raise UndefinedMapException(f"layer type {fn.type_name!r}", "has no map of coordinates",
                                hint="convolutions, pooling, Crop and layers that work element by element have one")


def _declarations(fn: Function) -> type[LayerType]:
    """What the type of a layer declares; of an unknown type nothing."""
    return LAYERS.get(fn.type_name, LayerType)


def _layer(fn: Function) -> Message:
    """The LayerParameter of a layer, without its bottoms."""
    return to_proto(*Function(fn.type_name, (), fn.params | {"ntop": 1}).tops).layer[0]


def compose(base_map: tuple, next_map: tuple) -> tuple:
    """The map that does `next_map` first and `base_map` after it."""
    (axis, scale, shift), (next_axis, next_scale, next_shift) = base_map, next_map
    if None not in (axis, next_axis) and axis != next_axis:
        raise AxisMismatchException("maps of coordinates", expected="the same axis", got=f"{axis} and {next_axis}")
    return next_axis if axis is None else axis, scale * next_scale, scale * next_shift + shift


def inverse(coord_map: tuple) -> tuple:
    """The map back."""
    axis, scale, shift = coord_map
    return axis, 1 / scale, -shift / scale


def coord_map_from_to(top_from: Top, top_to: Top) -> tuple:
    """The map from `top_from` to `top_to`, through the blob nearest to `top_to` that both come from.

    Bottoms of which only the sizes count, such as the second one of Crop, lead nowhere. UnconnectedError if there is
    no such blob.
    """
    ours = dict(_origins(top_from))
    for top, theirs in _origins(top_to):
        if top in ours:
            return compose(theirs, inverse(ours[top]))
    raise UnconnectedError("maps of coordinates", f"the tops of a {top_from.fn.type_name} and a "
                           f"{top_to.fn.type_name} have no common origin", hint="only layers with a map lead to one")


def _origins(top: Top):
    """The blobs that `top` comes from through layers with a map, each with the map from it to `top`; first `top`."""
    maps, queue = {top: IDENTITY}, [top]
    for current in queue:  # grows while it is walked
        yield current, maps[current]
        sizes_only = _declarations(current.fn).size_bottoms
        inputs = [bottom for i, bottom in enumerate(current.fn.inputs) if i not in sizes_only]
        try:
            step = coord_map(current.fn) if inputs else IDENTITY
        except UndefinedMapException:
            continue
        for bottom in inputs:
            if bottom not in maps:
                maps[bottom] = compose(maps[current], step)
                queue.append(bottom)


def crop(top_from: Top, top_to: Top) -> Top:
    """A Crop layer that cuts `top_from` to the part that lies over `top_to`.

    CropError if their scales differ, or if the offset is negative or no whole number.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    offset = -np.atleast_1d(shift)
    for wrong, expected, got in ((np.any(scale != 1), "the same scale", scale),
                                 (np.any(offset < 0), "no negative offset", offset),
                                 (np.any(offset != np.round(offset)), "a whole offset", offset)):
        if wrong:
            raise CropError(f"crop of a {top_from.fn.type_name} to a {top_to.fn.type_name}", expected=expected, got=got)
    return L.Crop(top_from, top_to, crop_param=dict(axis=2 if axis is None else axis + 1,
                                                    offset=[int(shift) for shift in offset]))
