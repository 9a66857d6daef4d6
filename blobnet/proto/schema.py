"""Reading .proto text (the subset of proto2 that Caffe's schema uses) into descriptors.

Source: the proto2 language specification, https://protobuf.dev/reference/protobuf/proto2-spec/.
Two deliberate differences: `extend LayerParameter { … }` adds ordinary fields to the message, so that a plug-in's
parameters are written in a prototxt like Caffe's own, without brackets. And a field that is read but not computed with
says so: [ignored = "why it makes no difference"], or [refused = "what is not done"] for values other than the default.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from google.protobuf import descriptor_pb2 as pb

from blobnet.errors import ParseError, close_matches
from blobnet.proto import wire
from blobnet.proto.notes import NOTES

PACKAGE = "caffe"
_Field = pb.FieldDescriptorProto
SCALARS = {name: getattr(_Field, "TYPE_" + name.upper())
           for name in ("double float int64 uint64 int32 fixed64 fixed32 bool string bytes uint32 "
                        "sfixed32 sfixed64 sint32 sint64").split()}
LABELS = {name: getattr(_Field, "LABEL_" + name.upper()) for name in ("optional", "required", "repeated")}
TOKEN = re.compile(r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)
                     | (?P<word>-?[\w.]+(?:(?<=\de)[-+]\d+)?)
                     | (?P<string>"[^"\n]*"|'[^'\n]*')
                     | (?P<sign>[{}\[\]=;,])""", re.VERBOSE | re.DOTALL)


class _Reader:
    """A cursor over the tokens of one .proto text."""

    def __init__(self, text: str, origin: str):
        self.text, self.origin, self.position = text, origin, 0
        self.lines = [0, *(match.end() for match in re.finditer("\n", text))]  # where they start
        self.places: dict[str, str] = {}  # "Message.field": where it is defined
        self.advance()

    def where(self) -> str:
        line = bisect_right(self.lines, self.start)
        return f"{self.origin}:{line}:{self.start - self.lines[line - 1] + 1}"

    def advance(self) -> str:
        """Move to the next token and return the one that was current."""
        last = getattr(self, "token", "")
        while True:
            self.start = self.position
            match = TOKEN.match(self.text, self.position)
            if match is None:
                self.token = ""
                if self.position < len(self.text):
                    raise ParseError(self.where(), got=repr(self.text[self.position]), hint="not .proto text")
                return last
            self.position = match.end()
            if match.lastgroup != "skip":
                self.token = match.group()
                return last

    def expect(self, token: str) -> None:
        if self.token != token:
            raise ParseError(self.where(), expected=repr(token), got=repr(self.token or "end of text"))
        self.advance()

    def number(self, what: str) -> int:
        where, token = self.where(), self.advance()
        if not re.fullmatch(r"-?\d+", token):
            raise ParseError(where, what, expected="a number", got=repr(token or "end of text"))
        return int(token)

    def accept(self, token: str) -> bool:
        if self.token == token:
            self.advance()
            return True
        return False


def parse_schema(file: pb.FileDescriptorProto, text: str, origin: str) -> dict[str, str]:
    """Add the messages, enums and extensions in `text` to `file`; types are resolved by `resolve_types`.

    Unlike elsewhere, `extend Message.Enum { NAME = 1; }` adds values to an enum.
    Returns the places of the fields, as {"Message.field": "origin:line:column"}. Raises ParseError.

    >>> parse_schema(pb.FileDescriptorProto(), "message A { optional int32 n = 1; }", "a.proto")
    {'A.n': 'a.proto:1:13'}
    """
    reader = _Reader(text, origin)
    while reader.token:
        where, keyword = reader.where(), reader.advance()
        if keyword in ("syntax", "package"):
            while reader.token not in (";", ""):
                reader.advance()
            reader.expect(";")
        elif keyword == "message":
            _message(reader, file.message_type, where)
        elif keyword == "enum":
            _enum(reader, file.enum_type, where)
        elif keyword == "extend":
            name, _, inner = reader.advance().partition(".")
            message = _named("message", name, file.message_type, where)
            if inner:
                _values(reader, _named("enum", inner, message.enum_type, where))
            else:
                _body(reader, message)
        else:
            raise ParseError(where, expected="message, enum or extend", got=repr(keyword))
    return reader.places


def _named(kind: str, name: str, among, where: str):
    found = [item for item in among if item.name == name]
    if not found:
        raise ParseError(where, f"cannot extend unknown {kind} {name!r}",
                         hint=close_matches(name, (item.name for item in among)))
    return found[0]


def _message(reader: _Reader, siblings, where: str) -> None:
    name = reader.advance()
    if any(message.name == name for message in siblings):
        raise ParseError(where, f"message {name!r} is defined already", hint="choose another name, or extend it")
    _body(reader, siblings.add(name=name))


def _body(reader: _Reader, message: pb.DescriptorProto) -> None:
    reader.expect("{")
    while not reader.accept("}"):
        where, keyword = reader.where(), reader.advance()
        if keyword == "enum":
            _enum(reader, message.enum_type, where)
        elif keyword == "message":
            _message(reader, message.nested_type, where)
        elif keyword in LABELS:
            _field(reader, message, LABELS[keyword], where)
        elif keyword != ";":
            raise ParseError(where, expected="optional, required, repeated, enum or message",
                             got=repr(keyword or "end of text"))


def _enum(reader: _Reader, siblings, where: str) -> None:
    enum = siblings.add(name=reader.advance())
    _values(reader, enum)
    if not enum.value:
        raise ParseError(where, f"enum {enum.name!r} has no values")


def _values(reader: _Reader, enum: pb.EnumDescriptorProto) -> None:
    reader.expect("{")
    while not reader.accept("}"):
        name = reader.advance()
        if name == "option":  # the only option an enum of this schema has
            reader.expect("allow_alias")
            reader.expect("=")
            enum.options.allow_alias = reader.advance() == "true"
        else:
            reader.expect("=")
            enum.value.add(name=name, number=reader.number(f"enum value {name!r}"))
        reader.expect(";")


def _field(reader: _Reader, message: pb.DescriptorProto, label: int, where: str) -> None:
    kind, name = reader.advance(), reader.advance()
    reader.expect("=")
    number = reader.number(f"field {name!r}")
    for other in message.field:
        if other.name == name or other.number == number:
            raise ParseError(where, f"field {name!r} = {number} of {message.name} collides with "
                             f"{other.name!r} = {other.number}", hint="choose another name or number")
    field = message.field.add(name=name, number=number, label=label)
    reader.places[f"{message.name}.{name}"] = where
    if kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type_name = kind
    if reader.accept("["):
        while not reader.accept("]"):
            option = reader.advance()
            reader.expect("=")
            value = reader.advance()
            if option == "default":
                field.default_value = value[1:-1] if value[:1] in ("'", '"') else value
            elif option == "packed":
                field.options.packed = value == "true"
            elif option == "deprecated":
                field.options.deprecated = value == "true"
            elif option in NOTES:
                if value[:1] not in ("'", '"'):
                    raise ParseError(where, f"the option {option!r}", expected="a text between quotes", got=repr(value))
                text = value[1:-1].encode()
                field.options.MergeFromString(wire.tag(NOTES[option], wire.BYTES) + wire.varint(len(text)) + text)
            else:
                raise ParseError(where, expected="the option default, packed, deprecated, ignored or refused",
                                 got=repr(option))
            reader.accept(",")
    reader.expect(";")


def resolve_types(file: pb.FileDescriptorProto, places: dict[str, str]) -> None:
    """Turn the type names of fields into full names, innermost scope first, and mark them as enum or message.

    `places` are those that `parse_schema` returned. Raises ParseError for a type that is defined nowhere.
    """
    kinds: dict[str, int] = {}

    def collect(scope: str, container) -> None:
        for enum in container.enum_type:
            kinds[f"{scope}.{enum.name}"] = _Field.TYPE_ENUM
        for message in getattr(container, "message_type", None) or getattr(container, "nested_type", ()):
            kinds[f"{scope}.{message.name}"] = _Field.TYPE_MESSAGE
            collect(f"{scope}.{message.name}", message)

    def resolve(scope: str, message: pb.DescriptorProto) -> None:
        path = f"{scope}.{message.name}"
        for field in message.field:
            if not field.type_name or field.type_name.startswith("."):
                continue
            candidates = [f"{path}.{field.type_name}", f"{scope}.{field.type_name}", f".{PACKAGE}.{field.type_name}"]
            full = next((name for name in candidates if name in kinds), None)
            if full is None:
                short = [name.rsplit(".", 1)[1] for name in kinds]
                name = f"{message.name}.{field.name}"
                raise ParseError(places.get(name, name), f"field {field.name!r} has unknown type {field.type_name!r}",
                                 hint=close_matches(field.type_name, [*short, *SCALARS]))
            field.type_name, field.type = full, kinds[full]
        for nested in message.nested_type:
            resolve(path, nested)

    collect(f".{PACKAGE}", file)
    for message in file.message_type:
        resolve(f".{PACKAGE}", message)
