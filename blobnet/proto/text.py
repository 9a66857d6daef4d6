"""Prototxt: protobuf's text format, with errors that show the place, and the places of layers for later stages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf import text_encoding
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.proto import messages, scalars
from blobnet.proto.reader import Fault, read_into, unquote
from blobnet.proto.source import OPENING, Token, error_at, place, walk


def parse(text: str, message_name: str, origin: str = "text") -> Message:
    """The message `message_name` written in `text`; `origin` is the file name that errors show.

    Raises ParseError, with "origin:line:column", for anything the schema does not know or the syntax does not allow.

    >>> parse("layer: { name: 'a'; loss_weight: [1., 1e-3f] }", "NetParameter").layer[0].name
    'a'
    """
    text = text.removeprefix("\ufeff")
    message = messages.new(message_name)
    read_into(message, text, origin)
    missing = message.FindInitializationErrors()
    if missing:
        raise _missing(text, origin, missing[0]).error
    return message


def parse_faulty(text: str, message_name: str, origin: str = "text") -> tuple[Message, list[Fault], ParseError | None]:
    """As much of the message `message_name` as `text` holds, all its faults, and the error of syntax that ended it.

    A field that the schema does not know is left out, whatever it holds, and so is a value that does not fit.

    >>> message, faults, _ = parse_faulty("layer { name: 'a' tpye: 'ReLU' top: 5 top: 'y' }", "NetParameter")
    >>> message.layer[0].top, [fault.token.text for fault in faults]
    (['y'], ['tpye', '5'])
    """
    text = text.removeprefix("\ufeff")
    message, end = messages.new(message_name), None
    faults: list[Fault] = []
    try:
        read_into(message, text, origin, faults)
    except ParseError as error:
        end = error
    faults += [_missing(text, origin, path) for path in message.FindInitializationErrors()]
    return message, faults, end


def dump(message: Message) -> str:
    """`message` as prototxt that `parse` reads back to an equal one. Fields unknown to the schema raise ParseError.

    It is what Caffe prints, to the byte: `1` for 1.0, octal escapes for the bytes of letters outside ASCII.
    """
    messages.refuse_unknown(message)
    return show(message)


def show(message: Message) -> str:
    """`message` as `dump` has it, without the fields that are unknown to the schema.

    >>> print(show(messages.new("LayerParameter", name="ö", loss_weight=[1], param=[{"lr_mult": 0.1}])), end="")
    name: "\\303\\266"
    loss_weight: 1
    param {
      lr_mult: 0.1
    }
    """
    return "".join(f"{line}\n" for line in _lines(message, ""))


def _lines(message: Message, indent: str) -> Iterator[str]:
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if field.type == Field.TYPE_MESSAGE:
                yield f"{indent}{field.name} {{"
                yield from _lines(item, indent + "  ")
                yield indent + "}"
            else:
                yield f"{indent}{field.name}: {show_value(field, item)}"


def show_value(field: Field, value: Any) -> str:
    """A value of `field`, no message, as prototxt."""
    if field.type in (Field.TYPE_STRING, Field.TYPE_BYTES):
        return f'"{text_encoding.CEscape(value, as_utf8=False)}"'
    if field.type in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        return scalars.write_float(value, field.type == Field.TYPE_FLOAT)
    if field.type == Field.TYPE_ENUM:
        return field.enum_type.values_by_number[value].name
    return str(value).lower() if field.type == Field.TYPE_BOOL else str(value)


def locate_layer(text: str, origin: str, layer: str | int, field: str = "type", value: str | None = None) -> str:
    """Where the `field` of a layer stands in a net's prototxt, as "origin:line:column".

    `layer` is its name, or its position among `layer {` and `layers {`. Where layers share a name, `value` picks the
    one whose `field` has this value. A layer without the field gives its `{`; no such layer gives `origin` alone.

    >>> locate_layer("layer { name: 'a' type: 'ReLU' }", "net.prototxt", "a")
    'net.prototxt:1:25'
    """
    text = text.removeprefix("\ufeff")
    layers: dict[int, dict[str, Token]] = {}  # offset of the outer brace: its first value of every field
    for token in walk(text):
        outer = [frame for frame in token.path if frame.field in ("layer", "layers")]
        if not outer or token.path[-1] not in outer:
            continue
        values = layers.setdefault(outer[0].offset, {})
        if token.kind in ("string", "value"):
            values.setdefault(token.field, token)
    for position, (brace, values) in enumerate(layers.items()):
        if layer == position or "name" in values and layer == _unquote(values["name"]):
            found = values.get(field)
            if value is None or found and value == _unquote(found):
                return place(text, origin, found.offset if found else brace)
    return origin


def _unquote(token: Token) -> str:
    if token.kind == "value":
        return token.text
    return unquote(token.text).decode("utf-8", "replace")


def _missing(text: str, origin: str, path: str) -> Fault:
    """The fault of a required field, given by protobuf as "layer[0].clip_param.max", at the message that lacks it."""
    *outer, name = path.split(".")
    wanted = [(part.split("[")[0], int((re.findall(r"\[(\d+)]", part) or [0])[0])) for part in outer]
    for token in walk(text):
        if token.text in OPENING and [frame[:2] for frame in token.path] == wanted:
            return Fault(error_at(text, origin, token.offset, f"{outer[-1]} needs a value for {name!r}"), token)
    return Fault(ParseError(origin, f"{path} needs a value"), Token("sign", "", 0, "", ()))
