"""Fields of the schema: what their comments say of them, and rows of tables."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from blobnet.proto.messages import SCHEMA_FILES
from blobnet.proto.notes import note
from blobnet.proto.schema import parse_schema
from blobnet.view.layer_pages import default, kind
from pages.markdown import code, plain, table

COMMENT = re.compile(r"\s*//\s?(.*)")
BESIDE = re.compile(r";\s*//\s?(.*)")
MESSAGE = re.compile(r"((?:^//[^\n]*\n)*)^(?:message|enum) (\w+)", re.MULTILINE)
HEAD = "field", "type", "meaning"


@cache
def _read() -> tuple[dict[str, str], dict[str, str]]:
    """The comments of all messages and enums by name, and of all fields by "Message.field": those above, then the one
    beside it."""
    file, messages, fields = descriptor_pb2.FileDescriptorProto(), {}, {}
    for name in SCHEMA_FILES:
        text = resources.files("blobnet.proto").joinpath(name).read_text("utf-8")
        lines = text.split("\n")
        for comment, message in MESSAGE.findall(text):
            messages.setdefault(message, " ".join(COMMENT.findall(comment)))
        for field, place in parse_schema(file, text, name).items():
            number = int(place.split(":")[1]) - 1
            found = BESIDE.findall(lines[number])
            while match := COMMENT.fullmatch(lines[number - 1]):
                found.insert(0, match[1])
                number -= 1
            fields[field] = " ".join(found)
    return messages, fields


def about_message(name: str) -> str:
    """What the schema says of a message or an enum, "" if nothing."""
    return _read()[0].get(name, "")


def about_field(field: FieldDescriptor) -> str:
    """What the schema says of a field, and whether it counts, as Markdown."""
    said = plain(_read()[1].get(f"{field.containing_type.name}.{field.name}", ""))
    ignored, refused = note(field, "ignored"), note(field, "refused")
    said += f" **No effect:** {plain(ignored)}." * bool(ignored) + f" **Refused:** {plain(refused)}." * bool(refused)
    return said.strip()


def row(field: FieldDescriptor) -> tuple[str, str, str]:
    """What the columns of HEAD say of a field; a message as type is a link."""
    if field.message_type is None:
        text = " or ".join(map(code, kind(field).split(" | ")))
    else:
        text = f"{{message}}`{field.message_type.name}`" + ", repeated" * field.is_repeated
    value = default(field)[1:-1]
    return code(field.name), text + f", default {code(value)}" * bool(value), about_field(field)


def options_table(message: Descriptor) -> str:
    """The fields of a message that is the options of a layer."""
    return table(HEAD, map(row, message.fields))
