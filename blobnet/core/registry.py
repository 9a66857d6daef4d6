"""The layer types by name: core finds layers here, and plug-ins add theirs.

Programs sometimes gave one name to different layers. Each of these is a type with a name and a page of its own, and
says `variant_of = "TheName"` and, in `claims`, which fields of the prototxt are its own: a net that writes
`type: "TheName"` gets the variant that claims its fields, otherwise the type that is called so. The net still shows
what was written. A variant may also be asked for by its own name, whatever the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from blobnet.core.layer import Layer
from blobnet.core.layer_type import LayerType
from blobnet.core.layer_types import LayerTypes
from blobnet.errors import NetError, did_you_mean, nearest
from blobnet.netdef.upgrade_v1 import TYPES
from blobnet.proto.messages import extend_schema
from blobnet.proto.unknown import PLUGIN

LAYERS = LayerTypes()
VARIANTS: dict[str, tuple[str, ...]] = {}  # names of those among them that are imported when they are asked for
NEAR = 0.75  # names less alike than this are different types, not misspelt ones
OTHER_NAMES = {  # of types in other frameworks and forks, in small letters: what does their work here
    "batchnormalization": "BatchNorm, followed by Scale", "conv": "Convolution", "conv2d": "Convolution",
    "dense": "InnerProduct", "linear": "InnerProduct", "fullyconnected": "InnerProduct", "fc": "InnerProduct",
    "maxpool": "Pooling with pool: MAX", "maxpooling": "Pooling with pool: MAX",
    "avgpool": "Pooling with pool: AVE", "averagepooling": "Pooling with pool: AVE",
    "add": "Eltwise", "softmaxloss": "SoftmaxWithLoss", "crossentropyloss": "SoftmaxWithLoss",
    "cudnnbatchnorm": "BatchNorm",
}
LayerClass = TypeVar("LayerClass", bound="type[Layer]")


def register(cls: LayerClass) -> LayerClass:
    """Make `cls` the layer type of its name, and add its `schema`, if it has one, to the schema.

    A later class of the same name replaces the earlier one and its variants, so that a user can put in a ReLU of their
    own.
    """
    if cls.schema:
        extend_schema(cls.schema, origin=f"{cls.__module__}.{cls.__qualname__}.schema")
    if cls.__name__ in LAYERS:
        for variant in variants(cls.__name__):
            del LAYERS[variant.__name__]
    LAYERS[cls.__name__] = cls
    return cls


def variants(type_name: str) -> list[type[Layer]]:
    """The types that a prototxt may mean by `type_name` beside the one that is called so."""
    for name in VARIANTS.get(type_name, ()):
        LAYERS.get(name)  # imports it
    found = [cls for cls in dict.values(LAYERS) if vars(cls).get("variant_of") == type_name]
    return sorted(found, key=lambda cls: cls.__name__)  # whichever was imported first


def name_in_nets(cls: type[Layer]) -> str:
    """What a prototxt writes for the type: `variant_of`, unless that is inherited, or its name."""
    return vars(cls).get("variant_of") or cls.__name__


def known_class(param: Message) -> type[Layer] | None:
    """The class of the layer that a LayerParameter asks for by its type and its fields; None if there is none.

    NetError if the fields are those of several variants.
    """
    claiming = [cls for cls in variants(param.type) if cls.claims(param)]
    if len(claiming) > 1:
        raise NetError(f"layer {param.name!r}", expected=f"the fields of one of the layers called {param.type}",
                       got=f"those of {' and '.join(cls.__name__ for cls in claiming)}",
                       hint="leave fields out, or write the name that is meant for the type")
    return claiming[0] if claiming else LAYERS.get(param.type)


def class_of(param: Message, where: str = "") -> type[Layer]:
    """As `known_class`, but NetError with what to do if there is none: at `where`, or naming the layer."""
    return known_class(param) or layer_class(param.type, lambda: where or f"layer {param.name!r}")


def layer_class(type_name: str, where: Callable[[], str]) -> type[Layer]:
    """The class that is called `type_name`; NetError at the place `where()`, with what to do, if there is none."""
    if not type_name:
        raise NetError(where(), "no type", hint='add type: "…"')
    if type_name not in LAYERS:
        other = (" or ".join(f"{cls.__name__}, by its fields" for cls in variants(type_name))
                 or OTHER_NAMES.get(type_name.lower()) or TYPES.get(type_name))
        hint = f"here it is {other};" if other else did_you_mean(nearest(type_name, LAYERS, cutoff=NEAR))
        raise NetError(where(), f"unknown layer type {type_name!r}",
                       hint=f"{hint} otherwise {PLUGIN}" if hint else PLUGIN)
    return LAYERS[type_name]


def declarations(layer: Message) -> type[LayerType]:
    """What the type of a LayerParameter declares; LayerType, which declares nothing, if nobody registered the type."""
    return known_class(layer) or LayerType
