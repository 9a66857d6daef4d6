"""Fields that a net or a solver has and that are not computed with: those that are ignored, and those that are refused.

The schema says which they are, and why.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.netdef.fields import layer_where
from blobnet.netdef.upgrade_v0 import left_out
from blobnet.proto.notes import note

log = logging.getLogger(__name__)
LAYERS = ("LayerParameter", "V1LayerParameter")


class NotUsed(NamedTuple):
    """A field: the name of its layer, "" outside of layers; its path there, such as "convolution_param.engine"; why."""

    layer: str
    field: str
    why: str


def ignored_fields(net: Message) -> list[NotUsed]:
    """The fields of `net` that make no difference here, in order; of any generation, a single layer, or a solver.

    They tune another program, or their own program does not look at them either; or their layer is of the first
    generation, and of another type than theirs. A field that has its default is left out.

    >>> from blobnet.proto.messages import new
    >>> ignored_fields(new("NetParameter", layer=[{"name": "conv1", "convolution_param": {"engine": 1}}]))
    [NotUsed(layer='conv1', field='convolution_param.engine', why='chooses how to compute the same')]
    """
    return list(_noted(net, "ignored", "", ""))


def refused_fields(net: Message) -> list[NotUsed]:
    """The fields of `net` that ask for what is not done here, as `ignored_fields` lists them.

    They can be read and written, but no layer can be built with them.
    """
    return list(_noted(net, "refused", "", ""))


def refuse(layer: Message) -> None:
    """Raise NetError for the first of the `refused_fields` of a layer."""
    for _, field, why in refused_fields(layer):
        raise NetError(layer_where(layer.name, layer.type), f"{field} is not done here: {why}",
                       hint="remove it, if its default will do")


def grouped(fields: Iterable[NotUsed]) -> list[NotUsed]:
    """One row for each field, however many layers have it; these are written as in "conv1 and 2 more".

    >>> grouped([NotUsed("a", "engine", "why"), NotUsed("b", "engine", "why"), NotUsed("", "multinode", "why")])[0]
    NotUsed(layer='a and 1 more', field='engine', why='why')
    """
    layers: dict[tuple[str, str], dict[str, None]] = {}
    for layer, field, why in fields:
        layers.setdefault((field, why), {})[layer] = None
    return [NotUsed(next(iter(names)) + f" and {len(names) - 1} more" * (len(names) > 1), *key)
            for key, names in layers.items()]


def log_ignored_fields(net: Message) -> None:
    """Say once which fields of `net` make no difference here, and in how many layers."""
    if log.isEnabledFor(logging.INFO):
        for layer, field, why in grouped(ignored_fields(net)):
            log.info("Without an effect here: %s%s (%s)", field, layer and f" of {layer}", why)


def _noted(message: Message, option: str, layer: str, path: str) -> Iterator[NotUsed]:
    """The fields with the note `option` of `message`, which stands in `layer` at `path` (with a dot at its end)."""
    for field, value in message.ListFields():
        why = note(field, option)
        if why:
            if field.is_repeated or field.message_type or value != field.default_value:
                yield NotUsed(layer, path + field.name, why)
        elif field.message_type and field.name != "blobs":
            for item in value if field.is_repeated else [value]:
                if field.message_type.name in LAYERS:
                    yield from _noted(item, option, item.name, "")
                elif field.message_type.name == "V0LayerParameter":
                    yield from _first_generation(item, option)
                else:
                    yield from _noted(item, option, layer, f"{path}{field.name}.")


def _first_generation(layer: Message, option: str) -> Iterator[NotUsed]:
    if option == "ignored":
        for field in left_out(layer):
            yield NotUsed(layer.name, f"layer.{field}", f"the type {layer.type!r} does not know it")
