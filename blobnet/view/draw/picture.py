"""A net as a picture: rectangles, texts, lines and arrowheads in pixels, for a writer to put into a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.core.registry import known_class
from blobnet.view.draw.graph import Box, Graph, only_phase
from blobnet.view.draw.layout import Layout, Line, Room, arrange
from blobnet.view.layer_facts import facts, rates
from blobnet.view.layer_pages import family

Point = tuple[float, float]

COLOURS = {"data": "#d9e2ec", "weighted": "#f8c9c0", "activation": "#cdebc5", "pooling": "#fde0a9",
           "normalization": "#d6d0f0", "recurrent": "#f5c6dd", "shape": "#e6e6e6", "reduction": "#f3e3cf",
           "loss": "#bfe3ea", "hashing": "#9fd3c7", "metric": "#e3eeb3", "detection": "#fbd0a6", "python": "#f0d9f7",
           "plug-ins": "#f0d9f7"}
BLANK, INK, FAINT, WIRE = "#ffffff", "#1b1b1b", "#555555", "#6b7280"
MARGIN, PAD, SPACE, ARROW = 14, 8, 4, 7
NAME, TYPE, FACT, BLOB, TITLE = 12, 10.5, 9.5, 10, 14  # sizes of letters
LINE = 13                                              # from one line of text to the next
WIDTHS = {0.32: "ijlIJ,. '", 0.4: "f-/:;\\|rt!()[]", 0.55: "sz*_`cL?\"", 0.62: "aekovxyFPTY",
          0.79: "DGHNUwOQ&", 0.87: "M#+<=>^~×", 1: "m%W@"}  # of a letter, in its size
LETTERS = {letter: width for width, letters in WIDTHS.items() for letter in letters}


class Rectangle(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0


class Text(NamedTuple):
    """A line of text; `x` is its left end, middle or right end, `y` the base of its letters."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    bold: bool = False
    anchor: str = "middle"  # start, middle or end
    role: str = "fact"      # name, type, fact, blob or title


class Curve(NamedTuple):
    """From `start` straight to `bend`, then by two control points to `end`."""

    start: Point
    bend: Point
    controls: tuple[Point, Point]
    end: Point


class Arrowhead(NamedTuple):
    """A filled triangle."""

    corners: tuple[Point, Point, Point]


class Picture(NamedTuple):
    """What to draw, in this order, on `width` times `height` pixels."""

    width: float
    height: float
    shapes: list[Rectangle | Text | Curve | Arrowhead]


def net_picture(graph: Graph, rankdir: str = "LR", display_lrm: bool = False) -> Picture:
    """Draw `graph`. The wires lead to `rankdir`: LR is from left to right, RL, TB from top to bottom, BT."""
    upright = rankdir in ("TB", "BT")
    boxes = [box_rows(box, graph, display_lrm) for box in graph.boxes]
    sizes = [_size(rows, box.label) for rows, box in zip(boxes, graph.boxes)]
    sizes = [(height, width / 2) if upright else (width, height / 2) for width, height in sizes]
    layout = arrange(sizes, graph.wires, [_room(wire.label, upright) for wire in graph.wires])
    top = 30 if graph.name else 0
    place = _placer(layout, rankdir, top)
    shown: list = [Text(MARGIN, MARGIN + 12, graph.name, TITLE, bold=True, anchor="start", role="title")] if top else []
    for line in layout.lines:
        shown += _line(line, place)
    for wire, start in layout.starts.items():
        if graph.wires[wire].label:
            shown.append(_label(graph.wires[wire].label, place(*start), rankdir))
    for box, rows, spot in zip(graph.boxes, boxes, layout.places):
        (left, first), (right, last) = (place(spot.along, spot.across - spot.half),
                                        place(spot.along + spot.length, spot.across + spot.half))
        frame = min(left, right), min(first, last), abs(right - left), abs(last - first)
        shown += _box(rows, *frame) if rows else _end(box.label, *frame)
    width, height = (layout.breadth, layout.length) if upright else (layout.length, layout.breadth)
    title = text_width(graph.name, TITLE, bold=True)
    return Picture(max(width, title) + 2 * MARGIN, height + 2 * MARGIN + top, shown)


# Words.

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
    """The colour of the family of a layer; white if the type is unknown."""
    cls = known_class(layer)
    return COLOURS.get(family(cls), BLANK) if cls else BLANK


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text, estimated; rather too large than too small."""
    return sum(LETTERS.get(letter, 0.67 if letter < "\u0250" else 1.1) for letter in text) * size * (1.1 if bold else 1)


# Shapes.

def _size(rows: list[Row], label: str) -> tuple[float, float]:
    """Width and height of a box."""
    if not rows:
        return text_width(label, BLOB) + 2 * PAD, LINE + PAD
    return max(map(_row_width, rows)) + 2 * PAD, sum(map(_row_height, rows))


def _row_width(row: Row) -> float:
    name, kind = text_width(row.name, NAME, bold=True), text_width(row.type, TYPE)
    title = name + SPACE + kind if row.in_place else max(name, kind)
    return max([title, *(text_width(line, FACT) for line in row.facts)])


def _row_height(row: Row) -> float:
    return PAD + LINE * (len(row.facts) + (1 if row.in_place else 2))


def _box(rows: list[Row], x: float, y: float, width: float, height: float) -> list[Rectangle | Text]:
    """A box with its rows, which share the height."""
    shown: list = []
    centre = x + width / 2
    slack = (height - sum(map(_row_height, rows))) / len(rows)
    for row in rows:
        tall = _row_height(row) + slack
        shown.append(Rectangle(x, y, width, tall, row.fill))
        line = y + (PAD + slack) / 2 + NAME - 2
        if row.in_place:
            name, kind = text_width(row.name, NAME, bold=True), text_width(row.type, TYPE)
            split = centre + (name - kind) / 2
            shown += [Text(split - SPACE / 2, line, row.name, NAME, bold=True, anchor="end", role="name"),
                      Text(split + SPACE / 2, line, row.type, TYPE, FAINT, anchor="start", role="type")]
        else:
            shown.append(Text(centre, line, row.name, NAME, bold=True, role="name"))
            line += LINE
            shown.append(Text(centre, line, row.type, TYPE, FAINT, role="type"))
        for fact in row.facts:
            line += LINE
            shown.append(Text(centre, line, fact, FACT))
        y += tall
    return shown


def _end(label: str, x: float, y: float, width: float, height: float) -> list[Rectangle | Text]:
    return [Rectangle(x, y, width, height, BLANK, radius=9),
            Text(x + width / 2, y + height / 2 + 3.5, label, BLOB, role="blob")]


def _room(label: str, upright: bool) -> Room:
    """The room for a label: beside its wire in an upright picture, else on it."""
    width = text_width(label, BLOB) + 10 if label else 0
    if upright:
        return Room(LINE + 4 if label else 0, 6, 6 + width)
    return Room(width, LINE if label else 6, 6)


def _label(label: str, start: Point, rankdir: str) -> Text:
    """A label at the start of its wire."""
    (x, y), anchor = start, "end" if rankdir == "RL" else "start"
    dx, dy = {"LR": (5, -4), "RL": (-5, -4), "TB": (5, LINE), "BT": (5, -5)}[rankdir]
    return Text(x + dx, y + dy, label, BLOB, FAINT, anchor=anchor, role="blob")


def _placer(layout: Layout, rankdir: str, top: float) -> Callable[[float, float], Point]:
    """A function from (along, across) to (x, y)."""
    def place(along: float, across: float) -> Point:
        along = layout.length - along if rankdir in ("RL", "BT") else along
        x, y = (across, along) if rankdir in ("TB", "BT") else (along, across)
        return x + MARGIN, y + MARGIN + top
    return place


def _line(line: Line, place: Callable[[float, float], Point]) -> list[Curve | Arrowhead]:
    (bend, low), (end, high) = line.bend, line.end
    tip, end = end, end - ARROW * line.arrow
    middle = (bend + end) / 2
    controls = place(middle, low), place(middle, high)
    shown: list = [Curve(place(*line.start), place(bend, low), controls, place(end, high))]
    if line.arrow:
        shown.append(Arrowhead((place(tip, high), place(end, high - ARROW / 2), place(end, high + ARROW / 2))))
    return shown
