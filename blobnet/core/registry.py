"""The layer types by name: core finds layers here, and plug-ins add theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from blobnet.core.layer import Layer
from blobnet.errors import NetError, did_you_mean, nearest
from blobnet.netdef.upgrade_v1 import TYPES
from blobnet.proto.messages import extend_schema
from blobnet.proto.unknown import PLUGIN

LAYERS: dict[str, type[Layer]] = {}
NEAR = 0.75  # names less alike than this are different types, not misspelt ones
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
    """Make `cls` the layer type of its name, and add its `schema`, if it has one, to the schema.

    A later class of the same name replaces the earlier one, so that a user can put in a ReLU of their own.
    """
    if cls.schema:
        extend_schema(cls.schema, origin=f"{cls.__module__}.{cls.__qualname__}.schema")
    LAYERS[cls.__name__] = cls
    return cls


def layer_class(type_name: str, where: Callable[[], str]) -> type[Layer]:
    """The class of the layer type `type_name`; NetError at the place `where()`, with what to do, if there is none."""
    if not type_name:
        raise NetError(where(), "no type", hint='add type: "…"')
    if type_name not in LAYERS:
        other = OTHER_NAMES.get(type_name.lower()) or TYPES.get(type_name)
        hint = f"here it is {other};" if other else did_you_mean(nearest(type_name, LAYERS, cutoff=NEAR))
        raise NetError(where(), f"unknown layer type {type_name!r}",
                       hint=f"{hint} otherwise {PLUGIN}" if hint else PLUGIN)
    return LAYERS[type_name]
