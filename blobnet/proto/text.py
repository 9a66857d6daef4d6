"""Prototxt: protobuf's text format, with errors that show the place, and the places of layers for later stages.

Parsing and printing are protobuf's own; what stands here finds out what is wrong when it refuses a text.
"""

from __future__ import annotations

import re

from google.protobuf import text_encoding, text_format
from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.proto import messages
from blobnet.proto.explain import explain, has_bad_escape
from blobnet.proto.source import OPENING, Token, error_at, place, walk


def parse(text: str, message_name: str, origin: str = "text") -> Message:
    """The message `message_name` written in `text`; `origin` is the file name that errors show.

    Raises ParseError, with "origin:line:column", for anything the schema does not know or the syntax does not allow.

    >>> parse("layer: { name: 'a'; loss_weight: [1., 1e-3f] }", "NetParameter").layer[0].name
    'a'
    """
    text = text.removeprefix("\ufeff")
    message = messages.new(message_name)
    problem = explain(text, origin, message.DESCRIPTOR) if has_bad_escape(text) else None
    if problem:  # which protobuf for Python lets through, unlike Caffe's
        raise problem
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise explain(text, origin, message.DESCRIPTOR) or _foreign(text, origin, error) from None
    except SystemError:  # protobuf's, for an enum value that is not UTF-8
        raise explain(text, origin, message.DESCRIPTOR) or ParseError(origin, "not UTF-8") from None
    missing = message.FindInitializationErrors()
    if missing:
        raise _missing(text, origin, missing[0])
    return message


def dump(message: Message) -> str:
    """`message` as prototxt that `parse` reads back to an equal one. Fields unknown to the schema raise ParseError."""
    messages.refuse_unknown(message)
    return text_format.MessageToString(message, as_utf8=True)


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
    return text_encoding.CUnescape(token.text[1:-1]).decode("utf-8", "replace")


def _missing(text: str, origin: str, path: str) -> ParseError:
    """The error for a required field, given by protobuf as "layer[0].clip_param.max"."""
    *outer, name = path.split(".")
    wanted = [(part.split("[")[0], int((re.findall(r"\[(\d+)]", part) or [0])[0])) for part in outer]
    for token in walk(text):
        if token.text in OPENING and [frame[:2] for frame in token.path] == wanted:
            return error_at(text, origin, token.offset, f"{outer[-1]} needs a value for {name!r}")
    return ParseError(origin, f"{path} needs a value")


def _foreign(text: str, origin: str, error: text_format.ParseError) -> ParseError:
    """The error in protobuf's own words, at its place."""
    line, column = (error.GetLine() or 1) - 1, (error.GetColumn() or 1) - 1
    offset = sum(len(item) + 1 for item in text.split("\n")[:line]) + column
    return error_at(text, origin, min(offset, len(text)), str(error).split(" : ", 1)[-1].split("': ")[-1])
