"""Messages in files: prototxt, YAML or binary, by the extension of the name or else by the content."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from types import ModuleType

from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.proto import binary, text
from blobnet.proto.storage import atomic_write, require_file

FORMATS = {".prototxt": "text", ".pt": "text", ".pbtxt": "text", ".txt": "text", ".yaml": "yaml", ".yml": "yaml",
           ".caffemodel": "binary", ".solverstate": "binary", ".binaryproto": "binary", ".pb": "binary"}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")  # bytes that no text has


def read_message(path: str | os.PathLike, message_name: str) -> Message:
    """The message `message_name` in the file `path`.

    Raises DataError if there is no such file, ParseError (with the place) if it does not hold such a message. A file
    with another extension is binary if it has control characters or is not UTF-8, else prototxt, else YAML.
    """
    path = require_file(path)
    kind = FORMATS.get(path.suffix.lower())
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ParseError(str(path), "this file is UTF-16", hint="save it as UTF-8")
    if kind == "binary" or kind is None and _is_binary(data):
        return binary.parse_binary(data, message_name, str(path))
    content = data.decode("utf-8", "surrogateescape")  # comments may be in any encoding
    if kind == "yaml":
        return _yaml().parse_yaml(content, message_name, str(path))
    try:
        return text.parse(content, message_name, str(path))
    except ParseError:
        if kind is None and _yaml().is_mapping(content):
            return _yaml().parse_yaml(content, message_name, str(path))
        raise


def write_message(path: str | os.PathLike, message: Message) -> None:
    """Write `message` to `path`, atomically, in the format of the extension; ParseError if the extension has none."""
    kind = FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise ParseError(str(path), "cannot tell a format from this name", expected="one of " + " ".join(FORMATS))
    if kind == "binary":
        return binary.write_binary(path, message)
    content = _yaml().dump_yaml(message) if kind == "yaml" else text.dump(message)
    with atomic_write(path) as file:
        file.write(content.encode("utf-8"))


def locate_layer(path: str | os.PathLike, layer: str | int, field: str = "type", value: str | None = None) -> str:
    """Where a layer's field stands in a file, prototxt or YAML, as `text.locate_layer`; the path if it is binary."""
    path = require_file(path)
    data = path.read_bytes()
    kind = FORMATS.get(path.suffix.lower())
    if kind == "binary" or kind is None and _is_binary(data):
        return str(path)
    content = data.decode("utf-8", "surrogateescape")
    find = _yaml().locate_layer if kind == "yaml" or kind is None and _yaml().is_mapping(content) else text.locate_layer
    return find(content, str(path), layer, field, value)


def _yaml() -> ModuleType:
    from blobnet.proto import yaml  # here, so that who reads prototxt does not wait for it

    return yaml


def _is_binary(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return CONTROL.search(data) is not None
