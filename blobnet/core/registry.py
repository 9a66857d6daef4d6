"""The layer types by name: core finds layers here, and plug-ins add theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from blobnet.errors import NetError, close_matches
from blobnet.proto.messages import extend_schema

if TYPE_CHECKING:
    from blobnet.core.layer import Layer

LAYERS: dict[str, type[Layer]] = {}
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
    """The class of the layer type `type_name`; NetError at `where()` with close matches if nobody registered it."""
    if type_name not in LAYERS:
        raise NetError(where(), f"unknown layer type {type_name!r}", hint=close_matches(type_name, LAYERS)
                       or "write it as a plug-in and load it before the net")
    return LAYERS[type_name]
