"""Copying fields of messages, and naming layers in errors."""

from __future__ import annotations

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet


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
    """The words that errors call a layer by.

    >>> layer_where("ip1", "InnerProduct", "net.prototxt")
    "net.prototxt: layer 'ip1' (InnerProduct)"
    """
    return (f"{origin}: " if origin else "") + f"layer {name!r} ({kind or 'no type'})"
