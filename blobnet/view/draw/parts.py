"""A net as shapes, box by box and wire by wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from blobnet.view.draw.graph import Graph
from blobnet.view.draw.layout import Layout, Line, Room, arrange
from blobnet.view.draw.rows import (
    BLOB,
    FACT,
    LINE,
    NAME,
    PAD,
    SPACE,
    TYPE,
    Row,
    box_rows,
    box_size,
    row_height,
    text_width,
)
from blobnet.view.draw.shapes import BLANK, FAINT, Arrowhead, Curve, Point, Rectangle, Shape, Stroke, Text

MARGIN, ARROW = 14, 7


class Parts(NamedTuple):
    """The shapes of a net on `width` times `height` pixels.

    boxes: of each box the shapes of its rows, the rectangle first; the end of a wire has one row. wires: of each wire
    its curves and arrowheads, from the start on; labels: of each wire its label, None if an end shows it.
    """

    width: float
    height: float
    boxes: list[list[list[Shape]]]
    wires: list[list[Stroke]]
    labels: list[Text | None]


def net_parts(graph: Graph, rankdir: str = "LR", display_lrm: bool = False, top: float = 0) -> Parts:
    """Draw `graph`, leaving `top` pixels above it. The wires lead to `rankdir`: LR is from left to right, RL, TB from
    top to bottom, BT."""
    upright = rankdir in ("TB", "BT")
    rows = [box_rows(box, graph, display_lrm) for box in graph.boxes]
    sizes = [box_size(lines, box.label) for lines, box in zip(rows, graph.boxes)]
    sizes = [(height, width / 2) if upright else (width, height / 2) for width, height in sizes]
    layout = arrange(sizes, graph.wires, [_room(wire.label, upright) for wire in graph.wires])
    place = _placer(layout, rankdir, top)
    boxes = []
    for box, lines, spot in zip(graph.boxes, rows, layout.places):
        (left, first), (right, last) = (place(spot.along, spot.across - spot.half),
                                        place(spot.along + spot.length, spot.across + spot.half))
        frame = min(left, right), min(first, last), abs(right - left), abs(last - first)
        boxes.append(_box(lines, *frame) if lines else [_end(box.label, *frame)])
    wires: list[list[Stroke]] = [[] for _ in graph.wires]
    for line in layout.lines:
        wires[line.wire] += _line(line, place)
    labels = [_label(wire.label, place(*layout.starts[i]), rankdir, i in layout.turned) if wire.label else None
              for i, wire in enumerate(graph.wires)]
    width, height = (layout.breadth, layout.length) if upright else (layout.length, layout.breadth)
    return Parts(width + 2 * MARGIN, height + 2 * MARGIN + top, boxes, wires, labels)


def _box(rows: list[Row], x: float, y: float, width: float, height: float) -> list[list[Shape]]:
    """The rows of a box, which share its height."""
    shown: list[list[Shape]] = []
    centre = x + width / 2
    slack = (height - sum(map(row_height, rows))) / len(rows)
    for row in rows:
        tall = row_height(row) + slack
        shapes: list[Shape] = [Rectangle(x, y, width, tall, row.fill)]
        line = y + (PAD + slack) / 2 + NAME - 2
        if row.in_place:
            name, kind = text_width(row.name, NAME, bold=True), text_width(row.type, TYPE)
            split = centre + (name - kind) / 2
            shapes += [Text(split - SPACE / 2, line, row.name, NAME, bold=True, anchor="end", role="name"),
                       Text(split + SPACE / 2, line, row.type, TYPE, FAINT, anchor="start", role="type")]
        else:
            shapes.append(Text(centre, line, row.name, NAME, bold=True, role="name"))
            line += LINE
            shapes.append(Text(centre, line, row.type, TYPE, FAINT, role="type"))
        for fact in row.facts:
            line += LINE
            shapes.append(Text(centre, line, fact, FACT))
        shown.append(shapes)
        y += tall
    return shown


def _end(label: str, x: float, y: float, width: float, height: float) -> list[Shape]:
    return [Rectangle(x, y, width, height, BLANK, radius=9),
            Text(x + width / 2, y + height / 2 + 3.5, label, BLOB, role="blob")]


def _room(label: str, upright: bool) -> Room:
    """The room for a label: beside its wire in an upright picture, else on it."""
    width = text_width(label, BLOB) + 10 if label else 0
    if upright:
        return Room(LINE + 4 if label else 0, 6, 6 + width)
    return Room(width, LINE if label else 6, 6)


def _label(label: str, start: Point, rankdir: str, turned: bool) -> Text:
    """A label at the start of its wire; in an upright picture on its right side, or on its left if it is `turned`."""
    (x, y), left = start, turned or rankdir == "RL"
    dx, dy = {"LR": (5, -4), "RL": (-5, -4), "TB": (-5 if left else 5, LINE), "BT": (-5 if left else 5, -5)}[rankdir]
    return Text(x + dx, y + dy, label, BLOB, FAINT, anchor="end" if left else "start", role="blob")


def _placer(layout: Layout, rankdir: str, top: float) -> Callable[[float, float], Point]:
    """A function from (along, across) to (x, y)."""
    def place(along: float, across: float) -> Point:
        along = layout.length - along if rankdir in ("RL", "BT") else along
        x, y = (across, along) if rankdir in ("TB", "BT") else (along, across)
        return x + MARGIN, y + MARGIN + top
    return place


def _line(line: Line, place: Callable[[float, float], Point]) -> list[Stroke]:
    (bend, low), (end, high) = line.bend, line.end
    tip, end = end, end - ARROW * line.arrow
    middle = (bend + end) / 2
    controls = place(middle, low), place(middle, high)
    shown: list[Stroke] = [Curve(place(*line.start), place(bend, low), controls, place(end, high))]
    if line.arrow:
        shown.append(Arrowhead((place(tip, high), place(end, high - ARROW / 2), place(end, high + ARROW / 2))))
    return shown
