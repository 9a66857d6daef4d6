"""The layer types by name: core finds layers here, and plug-ins add theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from blobnet.core.layer_type import LayerType
from blobnet.errors import NetError, did_you_mean, nearest
from blobnet.netdef.upgrade_v1 import TYPES
from blobnet.proto.messages import extend_schema
from blobnet.proto.unknown import PLUGIN

if TYPE_CHECKING:
    from blobnet.core.layer import Layer

LAYERS: dict[str, type[Layer]] = {}
NEAR = 0.75  # for types that are less alike are others
NORMALIZED = "BatchNorm, followed by Scale"
OTHER_NAMES = {  # of types in other frameworks and forks, in small letters: what does their work here
    "bn": NORMALIZED, "batchnormalization": NORMALIZED, "conv": "Convolution", "conv2d": "Convolution",
    "depthwiseconvolution": "Convolution with group: as many as there are channels",
    "convolutiondepthwise": "Convolution with group: as many as there are channels",
    "dense": "InnerProduct", "linear": "InnerProduct", "fullyconnected": "InnerProduct", "fc": "InnerProduct",
    "maxpool": "Pooling with pool: MAX", "maxpooling": "Pooling with pool: MAX",
    "avgpool": "Pooling with pool: AVE", "averagepooling": "Pooling with pool: AVE",
    "add": "Eltwise", "softmaxloss": "SoftmaxWithLoss", "crossentropyloss": "SoftmaxWithLoss",
    "relu6": "Clip with min: 0 max: 6", "normalize": "L2Norm, which divides whole samples by their norm",
}
LayerClass = TypeVar("LayerClass", bound="type[Layer]")


def register(cls: LayerClass) -> LayerClass:
    """Make `cls` available as the layer type of its own name, and its `schema`, if it has one, part of the schema.

    A class of the same name replaces the earlier one, so that a user can put a ReLU of their own in its place.
    """
    if cls.schema:
        extend_schema(cls.schema, origin=f"{cls.__module__}.{cls.__qualname__}.schema")
    LAYERS[cls.__name__] = cls
    return cls


def layer_class(type_name: str, where: Callable[[], str]) -> type[Layer]:
    """The class of the layer type `type_name`; NetError at `where()` with what to do if nobody registered it."""
    if not type_name:
        raise NetError(where(), "no type", hint='add type: "…"')
    if type_name not in LAYERS:
        other = OTHER_NAMES.get(type_name.lower()) or TYPES.get(type_name)
        hint = f"here it is {other};" if other else did_you_mean(nearest(type_name, LAYERS, cutoff=NEAR))
        raise NetError(where(), f"unknown layer type {type_name!r}",
                       hint=f"{hint} otherwise {PLUGIN}" if hint else PLUGIN)
    return LAYERS[type_name]


def declarations(layer: Message) -> type[LayerType]:
    """What the type of a LayerParameter declares; LayerType, which declares nothing, if nobody registered the type."""
    return LAYERS.get(layer.type, LayerType)
