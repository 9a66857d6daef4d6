"""The schema: a page a message, with all fields, and an index."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from blobnet.core.registry import LAYERS
from blobnet.proto.messages import message_class, messages
from blobnet.proto.notes import note
from pages.fields import HEAD, about_message, row
from pages.markdown import block, code, page, plain, table, toctree


def pages() -> dict[str, str]:
    """The pages of all messages."""
    found = {name: message_class(name).DESCRIPTOR for name in messages()}
    index = page("The schema", "Every message that a file may hold. Names and numbers are those of Caffe 1.0, "
                 "`blobnet/proto/caffe.proto`, and of its forks, `blobnet/proto/forks.proto`; numbers of 1,000 and "
                 "more are of blobnet alone, and prototxt goes by names. Fields that say *no effect* are read and "
                 "change nothing; those that say *refused* are read, but no net is built with another value than "
                 "their default: [all of them](not_used.md). `blobnet summary` lists those that a net has.",
                 table(["message", "what it is"], [(f"{{message}}`{name}`", plain(about_message(name)))
                                                   for name in found]),
                 toctree(["not_used", *map(str.lower, found)], ":hidden:"))
    return {f"schema/{name.lower()}.md": _message(message) for name, message in found.items()} | {
        "schema/index.md": index, "schema/not_used.md": _not_used(found.values())}


def _not_used(found: Iterable[Descriptor]) -> str:
    """The page of the fields that are not computed with."""
    fields = [field for message in found for field in message.fields]
    parts = []
    for option, title in (("refused", "Refused but for their default"), ("ignored", "Without effect")):
        rows = [(code(field.name), f"{{message}}`{field.containing_type.name}`", plain(note(field, option)))
                for field in fields if note(field, option)]
        parts += [f"## {title}", table(["field", "of", "why"], rows)]
    return page("Fields that are not computed with", "Programs beside Caffe 1.0 have fields that tune them, and some "
                "that ask for what is not done here. The schema says of each which it is, and why.", *parts)


def _message(message: Descriptor) -> str:
    enums = {field.enum_type.full_name: field.enum_type for field in message.fields if field.enum_type is not None}
    users = [f"{{layer}}`{name}`" for name, cls in sorted(LAYERS.items()) if message.name in _options(cls)]
    return page(
        message.name, block("{message} " + message.name, ""), plain(about_message(message.name)),
        f"Options of {', '.join(users)}." if users else "",
        table(["number", *HEAD], [
            (f'<span id="{field.name}">{field.number}</span>', *row(field))
            for field in sorted(message.fields, key=lambda field: field.number)]),
        *map(_enum, enums.values()))


def _options(cls: type) -> list[str]:
    """The names of the messages that are options of a layer type."""
    fields = message_class("LayerParameter").DESCRIPTOR.fields_by_name
    return [fields[name].message_type.name for name in (cls.options_field, *cls.more_options) if name]


def _enum(enum: EnumDescriptor) -> str:
    return f"## {enum.name}\n\n" + table(["number", "value"], [(str(value.number), code(value.name))
                                                              for value in enum.values])
