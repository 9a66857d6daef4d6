"""What a page says of the layers of a drawn net: shapes, options, parameters, multiply-adds."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.log.html import clean
from blobnet.view.draw.built import blob_shapes
from blobnet.view.draw.graph import blob_label, only_phase
from blobnet.view.draw.rows import layer_family
from blobnet.view.layer_facts import option_rows, rates
from blobnet.view.summary import layer_rows, shape_text, totals

PHASE_NAMES = ("TRAIN", "TEST")

Nets = dict[int, Net | None]  # that were built, by phase


def shapes_of(nets: Nets) -> dict[str, tuple[int, ...]]:
    """The shape of each blob, in the first of the `nets` that has it."""
    found: dict[str, tuple[int, ...]] = {}
    for shapes in reversed(blob_shapes(nets).values()):
        found.update(shapes)
    return found


def layer_details(net: Message, nets: Nets) -> list[dict[str, Any]]:
    """For each layer of `net` (upgraded, neither filtered nor split) its name, type, family, bottoms, tops and facts:
    pairs of a word and what there is to say. Blobs are named as in the drawing. Shapes and counts are those of the
    first of the `nets` that has the layer.
    """
    shapes = shapes_of(nets)
    counted: dict[str, list[tuple[str, str]]] = {}
    for one in reversed(nets.values()):
        counted.update(_counted(one) if one else {})
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


def net_lines(nets: Nets) -> list[str]:
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
