"""A net as a picture: rectangles, texts, lines and arrowheads in pixels, for a writer to put into a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from blobnet.view.draw.graph import Graph
from blobnet.view.draw.parts import MARGIN, Parts, net_parts
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
    shapes = [*title * bool(graph.name), *_shapes(parts)]
    return Picture(max(parts.width, text_width(graph.name, TITLE, bold=True) + 2 * MARGIN), parts.height, shapes)


def _shapes(parts: Parts) -> Iterator[Shape]:
    """Wires, labels and boxes, then the blocks: each of them folded, in its frame."""
    yield from chain.from_iterable(parts.wires)
    yield from filter(None, parts.labels)
    yield from chain.from_iterable(chain.from_iterable(parts.boxes))
    for frame in parts.frames.values():
        yield frame.once.frame
        yield from _shapes(frame.once.parts)
