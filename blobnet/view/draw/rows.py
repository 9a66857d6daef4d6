"""What a box says of its layers: rows of words, their colours and their sizes."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.core.registry import known_class
from blobnet.view.draw.colours import FAMILIES
from blobnet.view.draw.graph import Box, Graph, only_phase
from blobnet.view.draw.shapes import BLANK
from blobnet.view.layer_facts import facts, rates
from blobnet.view.layer_pages import family

PAD, SPACE = 8, 4
NAME, TYPE, FACT, BLOB, TITLE = 12, 10.5, 9.5, 10, 14  # sizes of letters
LINE = 13                                              # from one line of text to the next
WIDTHS = {0.32: "ijlIJ,. '", 0.4: "f-/:;\\|rt!()[]", 0.55: "sz*_`cL?\"", 0.62: "aekovxyFPTY",
          0.79: "DGHNUwOQ&", 0.87: "M#+<=>^~×", 1: "m%W@"}  # of a letter, in its size
LETTERS = {letter: width for width, letters in WIDTHS.items() for letter in letters}


class Row(NamedTuple):
    """What a box says of a layer, and the colour behind it. A layer in place has name and type on one line."""

    name: str
    type: str
    facts: list[str]
    fill: str
    in_place: bool


def box_rows(box: Box, graph: Graph, display_lrm: bool = False) -> list[Row]:
    """For every layer of a box: its name, type and key options; its learning rates if `display_lrm` is true; and the
    phase, if `graph` shows several and the layer is in one of them only."""
    rows = []
    for i, layer in enumerate(box.layers):
        rate, phase = rates(layer) if display_lrm else "", only_phase(layer) if len(graph.phases) > 1 else ""
        extra = [rate] * bool(rate) + [f"{phase} only"] * bool(phase)
        rows.append(Row(layer.name, f"({layer.type})" if i else layer.type, facts(layer) + extra, colour(layer), i > 0))
    return rows


def colour(layer: Message) -> str:
    """The colour of the family of a layer by day; white if the type is unknown."""
    return FAMILIES.get(layer_family(layer), (BLANK,))[0]


def layer_family(layer: Message) -> str:
    """The family of the type of a layer, "" if the type is unknown."""
    cls = known_class(layer)
    return family(cls) if cls else ""


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text, estimated; rather too large than too small."""
    return sum(LETTERS.get(letter, 0.67 if letter < "\u0250" else 1.1) for letter in text) * size * (1.1 if bold else 1)


def box_size(rows: list[Row], label: str) -> tuple[float, float]:
    """Width and height of a box with `rows`; without any it is the end of a wire with a `label`."""
    if not rows:
        return text_width(label, BLOB) + 2 * PAD, LINE + PAD
    return max(map(_row_width, rows)) + 2 * PAD, sum(map(row_height, rows))


def _row_width(row: Row) -> float:
    name, kind = text_width(row.name, NAME, bold=True), text_width(row.type, TYPE)
    title = name + SPACE + kind if row.in_place else max(name, kind)
    return max([title, *(text_width(line, FACT) for line in row.facts)])


def row_height(row: Row) -> float:
    """The least height of a row."""
    return PAD + LINE * (len(row.facts) + (1 if row.in_place else 2))
