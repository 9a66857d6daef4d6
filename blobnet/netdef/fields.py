"""Copying fields of messages, and naming layers in errors."""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from blobnet.proto.files import locate_layer


def copy_field(value: object, target: Message, name: str) -> None:
    """Set the field `name` of `target` to `value`, be it a number, a text, a message or a list of those."""
    if isinstance(value, Message):
        getattr(target, name).CopyFrom(value)
    elif hasattr(value, "extend"):
        getattr(target, name).extend(value)
    else:
        setattr(target, name, value)


def without(message: Message, name: str) -> Message:
    """A copy of `message` without the field `name`, whose value (the weights of a net, say) is hardly ever copied."""
    result = type(message)()
    if len(UnknownFieldSet(message)):  # which only a copy of all keeps
        result.CopyFrom(message)
        result.ClearField(name)
        return result
    for field, value in message.ListFields():
        if field.name != name:
            copy_field(value, result, field.name)
    return result


def layer_where(name: str, kind: str, origin: str = "") -> str:
    """The words that errors call a layer by: its place in the file `origin`, name and type.

    >>> layer_where("ip1", "InnerProduct", "net.prototxt")
    "net.prototxt: layer 'ip1' (InnerProduct)"
    """
    return (f"{layer_place(name, kind, origin)}: " if origin else "") + f"layer {name!r} ({kind or 'no type'})"


def layer_place(name: str, kind: str, origin: str) -> str:
    """Where the layer's type stands in the file `origin`, as "origin:line:column"; `origin` where none can be told."""
    if os.path.isfile(origin):
        for value in (kind, None):  # a net of the second generation has other names for types
            place = locate_layer(origin, name, value=value or None)
            if place != str(Path(origin)):
                return place
    return origin
