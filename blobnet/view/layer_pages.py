"""What the registered layer types say of themselves: a table by family, and the page of one type."""

from __future__ import annotations

import inspect
from collections import defaultdict
from textwrap import indent, wrap

from google.protobuf.descriptor import FieldDescriptor

from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, layer_class, name_in_nets, variants
from blobnet.log.table import table
from blobnet.proto.messages import message_class
from blobnet.proto.notes import note
from blobnet.view.layer_facts import value_text

OWN = "blobnet.layers."


def family(cls: type[Layer]) -> str:
    """The folder of a layer type under blobnet/layers, or "plug-ins"."""
    return cls.__module__.removeprefix(OWN).split(".")[0] if cls.__module__.startswith(OWN) else "plug-ins"


def families() -> dict[str, list[type[Layer]]]:
    """The registered types of each family, both in alphabetical order."""
    found = defaultdict(list)
    for _, cls in sorted(LAYERS.items()):
        found[family(cls)].append(cls)
    return dict(sorted(found.items()))


def purpose(cls: type[Layer]) -> str:
    """The first line of the page."""
    return inspect.getdoc(cls).split("\n", 1)[0]


def layer_table() -> str:
    """All types by family, as text in columns."""
    width = max(map(len, LAYERS))
    rows = {name: [f"  {cls.__name__:{width}}  {purpose(cls)}{_written(cls)}" for cls in members]
            for name, members in families().items()}
    return "\n\n".join("\n".join([name, *lines]) for name, lines in rows.items())


def _written(cls: type[Layer]) -> str:
    """What a prototxt writes for the type, if that is another name."""
    name = name_in_nets(cls)
    return f' (type: "{name}")' if name != cls.__name__ else ""


def layer_markdown() -> str:
    """All types by family, under the names that nets write, as a Markdown table for the README."""
    rows = [f"| {name} | {' '.join(sorted(set(map(name_in_nets, members))))} |"
            for name, members in families().items() if name != "plug-ins"]
    return "\n".join(["| family | types |", "|---|---|", *rows])


def layer_page(name: str) -> str:
    """The page of the type `name`: docstring, options with their types and defaults, file. NetError if unknown."""
    cls = layer_class(name, lambda: "layer")
    parts = [f"{name} ({family(cls)}){_written(cls)}\n\n{inspect.getdoc(cls)}"]
    others = ", ".join(other.__name__ for other in variants(name))
    parts += [f'type: "{name}" with other fields may also be: {others}'] * bool(others)
    parts += [_options(field) for field in (cls.options_field, *cls.more_options) if field]
    parts.append(inspect.getsourcefile(cls))
    return "\n\n".join(parts)


def _options(name: str) -> str:
    """The message in the field `name` of a layer: a line a field, and then those that ask for what is not done."""
    message = message_class("LayerParameter").DESCRIPTOR.fields_by_name[name].message_type
    refused = [field.name for field in message.fields if note(field, "refused")]
    rows = [(field.name, kind(field), default(field), "no effect" if note(field, "ignored") else "")
            for field in message.fields if field.name not in refused]
    text = f"{name} {{\n{indent(table(rows, left=range(4)), '  ')}\n}}"
    return "\n".join([text, *wrap("not done, so refused: " + ", ".join(refused), 100)][:None if refused else 1])


def kind(field: FieldDescriptor) -> str:
    """The type of a field as a page says it: "uint32", "MAX | AVE", "FillerParameter", "float, repeated"."""
    if field.enum_type is not None:
        name = " | ".join(value.name for value in field.enum_type.values)
    elif field.message_type is not None:
        name = field.message_type.name
    else:
        names = {value: key for key, value in vars(FieldDescriptor).items() if key.startswith("TYPE_")}
        name = names[field.type].removeprefix("TYPE_").lower()
    return name + ", repeated" if field.is_repeated else name


def default(field: FieldDescriptor) -> str:
    """The default of a field in brackets, "" if it has none."""
    return f"[{value_text(field, field.default_value)}]" if field.has_default_value else ""
