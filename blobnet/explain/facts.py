"""What a page says of a layer in words: options beside their defaults, shapes with the letters filled in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence

from blobnet.core.layer import Layer
from blobnet.view.layer_facts import option_rows

HEADS = "Bottoms|Tops|Params|Options|Paper|Quirks"
SECTION = re.compile(rf"(Bottoms|Tops|Params): (.*?)(?=\s*(?:\n\s*|   )(?:{HEADS}):|\Z)", re.DOTALL)
SHAPE = re.compile(r"\(([A-Z](?:, [A-Z])*),?\)")  # (N, C, H, W)


def options(layer: Layer) -> list[tuple[str, str, str, bool]]:
    """(field, value here, default, whether the net writes it) of the options that a layer type reads."""
    fields = filter(None, (layer.options_field, *layer.more_options))
    return [(*row, is_set) for name in fields for row, is_set in option_rows(getattr(layer.param, name))]


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
