"""A layer without a net, with blobs of its own; a run of it does not depend on earlier runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import device_module, to_host
from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN, Context
from blobnet.core.layer import Layer
from blobnet.core.registry import class_of
from blobnet.errors import NetError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.text import parse


class Standalone:
    """A layer with bottoms that hold `values` and tops of its own.

    values: the arrays that every forward starts from; parameters: the same for the parameters. Both may be changed in
    place. They are NumPy arrays, as are all results, on whichever device the blobs are. A top named as the bottom of
    the same position is that bottom's blob, as in a net, unless `apart`.
    """

    def __init__(self, layer: Layer, values: Sequence[np.ndarray], apart: bool = False):
        self.layer = layer
        self.values = [np.array(value, layer.dtype) for value in values]
        self.bottom = [Blob(value.shape, layer.xp, layer.dtype) for value in self.values]
        names = layer.param
        self.top = [self.bottom[i] if name in names.bottom[i:i + 1] and not apart else Blob((), layer.xp, layer.dtype)
                    for i, name in enumerate(names.top)]
        self.top += [Blob((), layer.xp, layer.dtype) for _ in range(layer.unnamed_tops(len(values), len(self.top)))]
        self.parameters = [_copy(blob.data) for blob in layer.blobs]

    @property
    def in_place(self) -> bool:
        return any(blob in self.top for blob in self.bottom)

    def prepare(self) -> None:
        """Fill the bottoms and parameters from `values` and `parameters`, and shape the tops."""
        for blob, value in zip([*self.bottom, *self.layer.blobs], [*self.values, *self.parameters], strict=True):
            blob.reshape(value.shape)
            blob.data[...] = self.layer.xp.asarray(value)
        self.layer.seek(self.layer.context.step)
        self.layer.update_shapes(self.bottom, self.top)

    def forward(self) -> list[np.ndarray]:
        """Copies of the tops' data, computed from `values` and `parameters`."""
        self.prepare()
        self.layer.forward(self.bottom, self.top)
        return [_copy(blob.data) for blob in self.top]

    def backward(self, top_diffs: Sequence[np.ndarray], propagate_down: Sequence[bool]) -> list[np.ndarray]:
        """Copies of the bottoms' diffs, after a forward; the parameters' diffs grow."""
        for blob, diff in zip(self.top, top_diffs, strict=True):
            blob.diff[...] = self.layer.xp.asarray(diff)
        self.layer.backward(self.top, list(propagate_down), self.bottom)
        return [_copy(blob.diff) for blob in self.bottom]

    def differentiable(self) -> list[bool]:
        """For each bottom whether it gets a gradient: as the prototxt says, or if it says nothing, all but labels."""
        return self.layer.differentiable(len(self.bottom))


def read_layer(source: str | Message) -> Message:
    """A copy of a LayerParameter, or the one in the text `layer { … }`; NetError if the text holds several or none."""
    if not isinstance(source, str):
        return type(source).FromString(source.SerializePartialToString())
    net = upgrade_net(parse(source, "NetParameter", "layer"))
    if len(net.layer) != 1:
        raise NetError("a layer's prototxt", expected="one layer { … }", got=len(net.layer))
    return net.layer[0]


def standalone(source: str | Message, *values, phase: int = TRAIN, dtype: str = "float64", seed: int = 0,
               python_layers: bool = False, device: str = "cpu") -> Standalone:
    """Set up the layer of `source`, a prototxt or a LayerParameter, with bottoms that hold `values`.

    `python_layers` and `device` as for Net.

    >>> relu = standalone('layer { name: "r" type: "ReLU" bottom: "x" top: "y" }', [-1.0, 2.0])
    >>> relu.forward()[0].tolist()
    [0.0, 2.0]
    """
    param = read_layer(source)
    if not param.HasField("phase"):
        param.phase = phase
    context = Context(device_module(device), np.dtype(dtype), seed, python_layers=python_layers, device=device)
    layer = class_of(param)(param, context)
    alone = Standalone(layer, values)
    for blob, value in zip(alone.bottom, alone.values):
        blob.data[...] = layer.xp.asarray(value)
    layer.initialize(alone.bottom, alone.top)
    alone.parameters = [_copy(blob.data) for blob in layer.blobs]
    return alone


def _copy(array) -> np.ndarray:
    return np.array(to_host(array))


def exact_gradient(param: Message, cls: type[Layer]) -> bool:
    """Make `param` ask for the derivative, if the type's published gradient is not that; return whether it changed."""
    if not cls.published_gradient:
        return False
    options = getattr(param, cls.options_field)
    was = options.gradient
    options.gradient = options.EXACT
    return was != options.EXACT
