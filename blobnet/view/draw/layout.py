"""Layered drawing of a graph: where its boxes and wires go.

Coordinates are `along` the flow and `across` it; the picture turns them into x and y. Boxes stand in ranks, one behind
the other. A long wire gets a lane in every rank that it passes, so that no wire ever crosses a box; labels lie in lanes
too, at the start of their wires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from blobnet.view.draw.across import Room, spread
from blobnet.view.draw.graph import Wire
from blobnet.view.draw.ranks import Vertex, order_ranks, rank_vertices

BEND = 26, 70  # least and most room along for wires that change lanes


class Line(NamedTuple):
    """A piece of a wire: straight from `start` to `bend` (across is the same), then curved to `end`."""

    wire: int
    start: tuple[float, float]
    bend: tuple[float, float]
    end: tuple[float, float]
    arrow: bool


class Place(NamedTuple):
    """A box from `along` to `along + length`, and `half` to both sides of `across`."""

    along: float
    across: float
    length: float
    half: float


class Layout(NamedTuple):
    """Places of the boxes, and where their ranks end; starts (along, across) of the wires, the wires whose labels
    change sides, the lines, and the size of the whole drawing."""

    places: list[Place]
    ends: list[float]
    starts: dict[int, tuple[float, float]]
    turned: set[int]
    lines: list[Line]
    length: float
    breadth: float


def arrange(sizes: Sequence[tuple[float, float]], wires: Sequence[Wire], rooms: Sequence[Room]) -> Layout:
    """Lay out boxes of `sizes` (length along, half the size across) and the wires between them.

    Every wire leads from a lower number to higher ones; `rooms` belong to the wires. Boxes may be made wider.
    """
    vertices = rank_vertices([half for _, half in sizes], wires)
    ranks = order_ranks(vertices)
    spread(vertices, len(sizes), ranks, rooms)
    return _drawn(vertices, sizes, ranks, rooms)


def _drawn(vertices: list[Vertex], sizes: Sequence[tuple[float, float]], ranks: list[list[int]],
           rooms: Sequence[Room]) -> Layout:
    shift = -min((vertex.across - vertex.low for vertex in vertices), default=0)
    for vertex in vertices:
        vertex.across += shift
    begins, ends, position = [], [], 0.0  # of the ranks; an end is where its wires may bend
    for rank in ranks:
        begins.append(position)
        lengths = [sizes[v][0] for v in rank if v < len(sizes)]
        labels = [sizes[v][0] + rooms[wire].length for v in rank if v < len(sizes) for wire in vertices[v].exits]
        ends.append(position + max(lengths + labels, default=0))
        way = max((abs(vertices[v].across - vertices[u].across) for v in rank for _, u in vertices[v].outs), default=0)
        position = ends[-1] + min(max(BEND[0], way / 5), BEND[1])
    starts, lines = {}, []
    for v, vertex in enumerate(vertices):
        for wire, end in vertex.outs:
            after, box = vertices[end], v < len(sizes)
            across = vertex.across + vertex.exits.get(wire, 0)
            start = (begins[vertex.rank] + (sizes[v][0] if box else 0), across)
            if box:
                starts[wire] = start
            lines.append(Line(wire, start, (ends[vertex.rank], across),
                              (begins[after.rank], after.across + after.entries.get(wire, 0)), end < len(sizes)))
    places = [Place(begins[vertex.rank], vertex.across, length, vertex.half)
              for vertex, (length, _) in zip(vertices, sizes)]
    box_ends = [ends[vertex.rank] for vertex in vertices[:len(sizes)]]
    turned = set().union(*(vertex.turned for vertex in vertices))
    return Layout(places, box_ends, starts, turned, lines, max(ends, default=0),
                  max((vertex.across + vertex.high for vertex in vertices), default=0))
