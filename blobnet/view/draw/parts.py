"""A net as shapes, box by box and wire by wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from blobnet.view.draw.graph import Graph
from blobnet.view.draw.layout import Line
from blobnet.view.draw.rows import BLOB, FACT, LINE, NAME, PAD, SPACE, TYPE, Row, row_height, text_width
from blobnet.view.draw.shapes import BLANK, FAINT, Arrowhead, Curve, Point, Rectangle, Shape, Stroke, Text
from blobnet.view.draw.sketch import Sketch, sketch

MARGIN, ARROW = 14, 7
Place = Callable[[float, float], Point]  # from (along, across) to (x, y)


class Parts(NamedTuple):
    """The shapes of a net on `width` times `height` pixels.

    boxes: of each box the shapes of its rows, the rectangle first; the end of a wire has one row, a block none. begins:
    where each box begins along the flow. wires: of each wire its curves and arrowheads, from the start on; labels: of
    each wire its label, None if an end shows it. frames: of each block, by the number of its box, what is drawn of it.
    """

    width: float
    height: float
    boxes: list[list[list[Shape]]]
    begins: list[float]
    wires: list[list[Stroke]]
    labels: list[Text | None]
    frames: dict[int, Frame]


class Pieces(NamedTuple):
    """What is in a block, and the frame around it."""

    frame: Rectangle
    parts: Parts


class Frame(NamedTuple):
    """A block: its first piece, and all pieces if it can be unfolded.

    Unfolded it is `more` pixels longer, and what lies behind `end`, the end of its rank along the flow, moves on by
    `growth`.
    """

    once: Pieces
    whole: Pieces | None
    end: float
    more: float
    growth: float


def net_parts(graph: Graph, rankdir: str = "LR", display_lrm: bool = False, top: float = 0,
              unfolding: bool = False) -> Parts:
    """Draw `graph`, leaving `top` pixels above it. The wires lead to `rankdir`: LR is from left to right, RL, TB from
    top to bottom, BT. `unfolding`: draw its blocks unfolded, too."""
    drawn = sketch(graph, rankdir, display_lrm, unfolding)
    upright = rankdir in ("TB", "BT")
    length, breadth = drawn.layout.length, drawn.layout.breadth
    width, height = (breadth, length) if upright else (length, breadth)

    def place(along: float, across: float) -> Point:
        along = length - along if rankdir in ("RL", "BT") else along
        x, y = (across, along) if upright else (along, across)
        return x + MARGIN, y + MARGIN + top

    return _parts(drawn, rankdir, place, width + 2 * MARGIN, height + 2 * MARGIN + top)


def _parts(drawn: Sketch, rankdir: str, place: Place, width: float, height: float, inner: bool = False) -> Parts:
    """The shapes of a sketch, of the pieces of a block if it is an `inner` one."""
    graph, layout = drawn.graph, drawn.layout
    boxes: list[list[list[Shape]]] = []
    frames = {}
    for number, (box, rows, spot) in enumerate(zip(graph.boxes, drawn.rows, layout.places)):
        frame = _rectangle(place, spot.along, spot.across, spot.length, spot.half)
        if number in drawn.blocks:
            frames[number] = _frame(drawn, number, rankdir, place)
            boxes.append([])
        elif rows:
            boxes.append(_box(rows, frame))
        elif inner and not box.label:
            boxes.append([])
        else:
            boxes.append([_end(box.label, frame, title=inner)])
    wires: list[list[Stroke]] = [[] for _ in graph.wires]
    for line in layout.lines:
        out = inner and line.end[0] == layout.places[-1].along
        wires[line.wire] += _line(line._replace(arrow=False) if out else line, place)
    labels = [_label(wire.label, place(*layout.starts[i]), rankdir, i in layout.turned) if wire.label else None
              for i, wire in enumerate(graph.wires)]
    begins = [_along(place(spot.along, 0), rankdir) for spot in layout.places]
    return Parts(width, height, boxes, begins, wires, labels, frames)


def _frame(drawn: Sketch, number: int, rankdir: str, place: Place) -> Frame:
    """What is drawn of the block that is box `number`: its trunk runs through the middle of the box."""
    layout, (once, whole) = drawn.layout, drawn.blocks[number]
    spot = layout.places[number]

    def pieces(inside: Sketch) -> Pieces:
        shift = spot.across - inside.layout.places[0].across
        frame = _rectangle(place, spot.along, spot.across, inside.layout.length, spot.half)
        return Pieces(frame, _parts(inside, rankdir, lambda along, across: place(spot.along + along, shift + across),
                                    frame.width, frame.height, inner=True))

    more = whole.layout.length - once.layout.length if whole else 0.0
    label = max(drawn.rooms[i].length for i, wire in enumerate(drawn.graph.wires) if wire.source == number)
    growth = max(0.0, spot.along + spot.length + more + label - layout.ends[number])
    return Frame(pieces(once), pieces(whole) if whole else None, _along(place(layout.ends[number], 0), rankdir), more,
                 growth)


def _along(position: Point, rankdir: str) -> float:
    return position[rankdir in ("TB", "BT")]


def _rectangle(place: Place, along: float, across: float, length: float, half: float, fill: str = "none") -> Rectangle:
    (left, first), (right, last) = place(along, across - half), place(along + length, across + half)
    return Rectangle(min(left, right), min(first, last), abs(right - left), abs(last - first), fill, radius=4)


def _box(rows: list[Row], frame: Rectangle) -> list[list[Shape]]:
    """The rows of a box, which share its height."""
    shown: list[list[Shape]] = []
    centre, y = frame.x + frame.width / 2, frame.y
    slack = (frame.height - sum(map(row_height, rows))) / len(rows)
    for row in rows:
        tall = row_height(row) + slack
        shapes: list[Shape] = [Rectangle(frame.x, y, frame.width, tall, row.fill)]
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


def _end(label: str, frame: Rectangle, title: bool) -> list[Shape]:
    """The end of a wire, or the title of a block."""
    text = Text(frame.x + frame.width / 2, frame.y + frame.height / 2 + 3.5, label, BLOB, role="blob")
    if title:
        text = text._replace(bold=True, role="repeat")
    return [frame._replace(fill=BLANK, radius=4 if title else 9), text]


def _label(label: str, start: Point, rankdir: str, turned: bool) -> Text:
    """A label at the start of its wire; in an upright picture on its right side, or on its left if it is `turned`."""
    (x, y), left = start, turned or rankdir == "RL"
    dx, dy = {"LR": (5, -4), "RL": (-5, -4), "TB": (-5 if left else 5, LINE), "BT": (-5 if left else 5, -5)}[rankdir]
    return Text(x + dx, y + dy, label, BLOB, FAINT, anchor="end" if left else "start", role="blob")


def _line(line: Line, place: Place) -> list[Stroke]:
    (bend, low), (end, high) = line.bend, line.end
    tip, end = end, end - ARROW * line.arrow
    middle = (bend + end) / 2
    controls = place(middle, low), place(middle, high)
    shown: list[Stroke] = [Curve(place(*line.start), place(bend, low), controls, place(end, high))]
    if line.arrow:
        shown.append(Arrowhead((place(tip, high), place(end, high - ARROW / 2), place(end, high + ARROW / 2))))
    return shown
