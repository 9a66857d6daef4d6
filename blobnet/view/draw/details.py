"""What a page says of the layers of a drawn net: shapes, options, parameters, multiply-adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.log.html import clean
from blobnet.view.draw.graph import blob_label, only_phase
from blobnet.view.draw.rows import layer_family
from blobnet.view.layer_facts import option_rows, rates
from blobnet.view.summary import layer_rows, shape_text, totals

PHASE_NAMES = ("TRAIN", "TEST")


def layer_details(net: Message, nets: Mapping[int, Net | None]) -> list[dict[str, Any]]:
    """For each layer of `net` (upgraded, neither filtered nor split) its name, type, family, bottoms, tops and facts:
    pairs of a word and what there is to say. Blobs are
    named as in the drawing. `nets` are the nets that were built of it, by phase; shapes and counts
    are those of the first of them that has the layer.
    """
    built = [one for one in nets.values() if one]
    shapes: dict[str, tuple[int, ...]] = {}
    counted: dict[str, list[tuple[str, str]]] = {}
    for one in reversed(built):
        shapes.update({name: blob.shape for name, blob in one.blobs.items()})
        counted.update(_counted(one))
    rows = []
    for layer in net.layer:
        facts = [("phase", only_phase(layer))]
        facts += [(word, ", ".join(blob_label(blob, shapes.get(blob)) for blob in blobs))
                  for word, blobs in (("in", layer.bottom), ("out", layer.top))]
        rate = rates(layer).removeprefix("lr mult: ")
        facts += [*_options(layer), ("lr_mult", rate if {*rate.split(", ")} != {"1.0"} else ""),
                  *counted.get(layer.name, [])]
        rows.append({"name": layer.name, "type": layer.type, "family": layer_family(layer),
                     "bottoms": [*map(clean, layer.bottom)], "tops": [*map(clean, layer.top)],
                     "facts": [fact for fact in facts if fact[1]]})
    return rows


def net_lines(nets: Mapping[int, Net | None]) -> list[str]:
    """What the layers of each net add up to: a line, or one for each phase if they differ."""
    lines = {}
    for phase, net in nets.items():
        if net:
            total = totals(net)
            lines[PHASE_NAMES[phase]] = (f"{total.parameters:,} parameters, {total.multiply_adds:,} multiply-adds "
                                         "in a forward pass")
    if len(set(lines.values())) == 1:
        return [*lines.values()][:1]
    return [f"{name}: {line}" for name, line in lines.items()]


def _options(layer: Message) -> list[tuple[str, str]]:
    """The options that differ from their defaults."""
    declared = declarations(layer)
    fields = filter(None, (declared.options_field, *declared.more_options))
    return [(name, f"{value} (default {default})" if default else value)
            for field in fields for (name, value, default), is_set in option_rows(getattr(layer, field))
            if is_set and value != default]


def _counted(net: Net) -> dict[str, list[tuple[str, str]]]:
    """For each layer its parameters, how many numbers they have, and its multiply-adds."""
    found = {}
    for layer, row in zip(net.layers, layer_rows(net)):
        parameters = [f"{layer.param_name(i)} {shape_text(shape)}" for i, shape in enumerate(row.parameters)]
        counts = [f"{count:,}" if count else "" for count in (row.count, row.multiply_adds)]
        found[row.layer] = [("parameters", ", ".join(parameters)), *zip(("numbers", "multiply-adds"), counts)]
    return found
