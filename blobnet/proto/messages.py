"""The message classes of the schema, built at run time in a private pool, and the plug-in fields added to it.

A pool cannot change once it is built, so every extension builds a new one. Message classes must therefore be asked
for by name when they are needed, and never be kept or compared by identity.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from blobnet.errors import ParseError, close_matches

SCHEMA_FILES = ("caffe.proto", "forks.proto")
_extensions: dict[str, str] = {}


def extend_schema(text: str, origin: str) -> None:
    """Add a plug-in's .proto text: new messages, and fields of existing ones by `extend NAME { … }`.

    `origin` names the text in errors; the same origin given twice replaces its text. A text that does not parse, or
    whose fields collide with others, raises ParseError and leaves the schema as it was.
    """
    before = dict(_extensions)
    _extensions[origin] = text
    _pool.cache_clear()
    try:
        _pool()
    except (ParseError, TypeError, ValueError) as error:
        _extensions.clear()
        _extensions.update(before)
        _pool.cache_clear()
        if not isinstance(error, ParseError):  # protobuf's own word on names, numbers and defaults
            raise ParseError(origin, f"not a valid schema: {error}") from None
        raise


def message_class(name: str) -> type[Message]:
    """The class of the message `name`, such as "NetParameter", under the present schema."""
    classes = _pool()
    if name not in classes:
        raise ParseError("schema", f"no message {name!r}", hint=close_matches(name, classes))
    return classes[name]


def new(name: str, /, **fields) -> Message:
    """A message of class `name` with `fields` set; submessages may be given as dicts. ParseError for unknown fields.

    >>> new("NetState", phase=1, stage=["deploy"]).stage
    ['deploy']
    """
    cls = message_class(name)
    for field in fields:
        if field not in cls.DESCRIPTOR.fields_by_name:
            raise ParseError(name, f"has no field {field!r}", hint=close_matches(field, cls.DESCRIPTOR.fields_by_name))
    return cls(**fields)


def convert(message: Message) -> Message:
    """`message` as an instance of the present schema's class; itself if it is one already.

    A message made before a plug-in extended the schema belongs to an older class with the same wire format.
    """
    cls = message_class(message.DESCRIPTOR.name)
    return message if isinstance(message, cls) else cls.FromString(message.SerializePartialToString())


def messages() -> list[str]:
    """The names of all messages, in the order of the schema."""
    return list(_pool())


def refuse_unknown(message: Message, path: str = "") -> None:
    """Raise ParseError if `message`, read from a binary file, holds fields that the schema does not know.

    They survive in binary files but have no name, so prototxt and YAML cannot show them.
    """
    path = path or message.DESCRIPTOR.name
    unknown = sorted({field.field_number for field in UnknownFieldSet(message)})
    if unknown:
        raise ParseError(path, f"field number {', '.join(map(str, unknown))} is not in the schema",
                         hint="load the plug-in that defines it, or keep the binary format")
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for index, item in enumerate(value if field.is_repeated else [value]):
                refuse_unknown(item, f"{path}.{field.name}" + (f"[{index}]" if field.is_repeated else ""))


@cache
def _pool() -> dict[str, type[Message]]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # here, so that others do not wait

    from blobnet.proto.schema import PACKAGE, parse_schema, resolve_types

    file = descriptor_pb2.FileDescriptorProto(name="blobnet/caffe.proto", package=PACKAGE, syntax="proto2")
    sources = {name: Path(__file__).with_name(name).read_text("utf-8") for name in SCHEMA_FILES}
    places: dict[str, str] = {}
    for origin, text in {**sources, **_extensions}.items():
        places.update(parse_schema(file, text, origin))
    resolve_types(file, places)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
            for message in file.message_type}
