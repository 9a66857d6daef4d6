"""A net as a picture: rectangles, texts, lines and arrowheads in pixels, for a writer to put into a file."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from blobnet.view.draw.graph import Graph
from blobnet.view.draw.parts import MARGIN, net_parts
from blobnet.view.draw.rows import TITLE, text_width
from blobnet.view.draw.shapes import Shape, Text

TOP = 30  # pixels for the name of the net


class Picture(NamedTuple):
    """What to draw, in this order, on `width` times `height` pixels."""

    width: float
    height: float
    shapes: list[Shape]


def net_picture(graph: Graph, rankdir: str = "LR", display_lrm: bool = False) -> Picture:
    """Draw `graph`. The wires lead to `rankdir`: LR is from left to right, RL, TB from top to bottom, BT."""
    parts = net_parts(graph, rankdir, display_lrm, TOP if graph.name else 0)
    title: list[Shape] = [Text(MARGIN, MARGIN + 12, graph.name, TITLE, bold=True, anchor="start", role="title")]
    rows = chain.from_iterable(parts.boxes)
    shapes = [*title * bool(graph.name), *chain.from_iterable(parts.wires), *filter(None, parts.labels),
              *chain.from_iterable(rows)]
    return Picture(max(parts.width, text_width(graph.name, TITLE, bold=True) + 2 * MARGIN), parts.height, shapes)
