"""What a page says of a layer in words: its options beside their defaults, and its shapes with the letters filled in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

from blobnet.core.layer import Layer
from blobnet.proto.schema import note
from blobnet.proto.text import dump

SECTION = re.compile(r"(Bottoms|Tops|Params): (.*?)(?=\s*(?:\n\s*|   )(?:Bottoms|Tops|Params|Options|Paper|Quirks):|\Z)",
                     re.DOTALL)
SHAPE = re.compile(r"\(([A-Z](?:, [A-Z])*),?\)")  # (N, C, H, W)


def options(layer: Layer) -> list[tuple[str, str, str, bool]]:
    """(field, value here, default, whether the net writes it) of the options that a layer type reads."""
    rows = []
    for name in filter(None, (layer.options_field, *layer.more_options)):
        message = getattr(layer.param, name)
        for field in message.DESCRIPTOR.fields:
            if note(field, "refused") or note(field, "ignored"):
                continue
            given = bool(getattr(message, field.name)) if field.is_repeated else message.HasField(field.name)
            default = "" if field.is_repeated or field.message_type else _text(field, field.default_value)
            if given or default:
                rows.append((field.name, _value(message, field), default, given))
    return rows


def letters(layer: Layer, bottoms: Sequence[Sequence[int]], tops: Sequence[Sequence[int]]) -> list[tuple[str, str]]:
    """The letters of the page's shapes with the sizes that they have here, as far as both fit.

    Bottoms, tops and parameters are paired with the shapes that the docstring writes with plain letters, in order.
    """
    found: dict[str, str] = {}
    shapes = {"Bottoms": bottoms, "Tops": tops, "Params": [blob.shape for blob in layer.blobs]}
    for section, text in SECTION.findall(inspect.getdoc(type(layer)) or ""):
        for names, shape in zip(_written(text), shapes[section]):
            if len(names) == len(shape):
                for name, size in zip(names, shape):
                    found.setdefault(name, str(size))
    return list(found.items())


def _written(text: str) -> Iterator[list[str]]:
    yield from (match[1].split(", ") for match in SHAPE.finditer(text))


def _value(message: Message, field: Any) -> str:
    value = getattr(message, field.name)
    if field.message_type:
        parts = value if field.is_repeated else [value]
        return "; ".join(" ".join(dump(part).split()) for part in parts)
    return ", ".join(_text(field, each) for each in value) if field.is_repeated else _text(field, value)


def _text(field: Any, value: Any) -> str:
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if isinstance(value, float):
        return f"{value:.7g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
