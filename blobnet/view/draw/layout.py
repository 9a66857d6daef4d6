"""Layered drawing of a graph: where its boxes and wires go.

Coordinates are `along` the flow and `across` it; the picture turns them into x and y. Boxes stand in ranks, one behind
the other. A long wire gets a lane in every rank that it passes, so that no wire ever crosses a box; labels lie in lanes
too, at the start of their wires.
Positions across are least squares under minimal distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from blobnet.view.draw.graph import Wire
from blobnet.view.draw.ranks import Vertex, order_ranks, rank_vertices

SWEEPS = 40                 # of positions across
APART, LANES_APART = 16, 9  # least distance across of two boxes, and of a lane and its neighbours
ENTRIES_APART = 14          # of the wires that enter a box
BEND = (26, 70)             # least and most room along for wires that change lanes
STRAIGHT = (8, 1000)        # how much a lane is drawn to a box, and to a lane; a box is drawn by 1


class Room(NamedTuple):
    """The room for the label of a wire: `length` along it, and `low` and `high` across, on its two sides."""

    length: float
    low: float
    high: float


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
    """Places of the boxes, starts (along, across) of the wires, the lines, and the size of the whole drawing."""

    places: list[Place]
    starts: dict[int, tuple[float, float]]
    lines: list[Line]
    length: float
    breadth: float


def arrange(sizes: Sequence[tuple[float, float]], wires: Sequence[Wire], rooms: Sequence[Room]) -> Layout:
    """Lay out boxes of `sizes` (length along, half the size across) and the wires between them.

    Every wire leads from a lower number to higher ones; `rooms` belong to the wires. Boxes may be made wider.
    """
    vertices = rank_vertices([half for _, half in sizes], wires)
    ranks = order_ranks(vertices)
    _ports(vertices, len(sizes), ranks, rooms)
    _spread(vertices, len(sizes), ranks)
    return _drawn(vertices, sizes, ranks, rooms)


# Places across.

def _ports(vertices: list[Vertex], boxes: int, ranks: list[list[int]], rooms: Sequence[Room]) -> None:
    """Where wires leave and enter the boxes, in the order of where they go and come from; widens boxes to hold them."""
    places = {v: i for rank in ranks for i, v in enumerate(rank)}
    for vertex in vertices[:boxes]:
        ends: dict[int, list[int]] = {}
        for wire, end in vertex.outs:
            ends.setdefault(wire, []).append(places[end])
        position = 0.0
        for i, wire in enumerate(sorted(ends, key=lambda w: sum(ends[w]) / len(ends[w]))):
            position += rooms[wire].low if i else 0
            vertex.exits[wire] = position
            position += rooms[wire].high
        if vertex.exits:
            first, last = list(vertex.exits)[0], list(vertex.exits)[-1]
            middle = vertex.exits[last] / 2
            vertex.exits = {wire: exit - middle for wire, exit in vertex.exits.items()}
            vertex.low, vertex.high = middle + rooms[first].low, middle + rooms[last].high
            vertex.half = max(vertex.half, middle + 8)
        ins = sorted(vertex.ins, key=lambda pair: (places[pair[1]], vertices[pair[1]].exits.get(pair[0], 0)))
        vertex.entries = {wire: (i - (len(ins) - 1) / 2) * ENTRIES_APART for i, (wire, _) in enumerate(ins)}
        vertex.half = max(vertex.half, len(ins) * ENTRIES_APART / 2)
        vertex.low, vertex.high = max(vertex.low, vertex.half), max(vertex.high, vertex.half)


def _spread(vertices: list[Vertex], boxes: int, ranks: list[list[int]]) -> None:
    """Places across the flow for which the wires are as straight as the least distances allow."""
    gaps = []
    for rank in ranks:
        gaps.append([vertices[a].high + vertices[b].low + (APART if max(a, b) < boxes else LANES_APART)
                     for a, b in zip(rank, rank[1:])])
        position = 0.0
        for v, gap in zip(rank, [*gaps[-1], 0]):
            vertices[v].across = position
            position += gap
    for sweep in range(SWEEPS + 1):
        down, both = sweep % 2 == 0, SWEEPS // 2 < sweep < SWEEPS
        for rank, apart in zip(ranks if down else ranks[::-1], gaps if down else gaps[::-1]):
            wishes = [_wish(vertices, boxes, v, down or both, not down or both) for v in rank]
            for v, across in zip(rank, _apart(wishes, apart)):
                vertices[v].across = across


def _wish(vertices: list[Vertex], boxes: int, v: int, from_ins: bool, from_outs: bool) -> tuple[float, float]:
    """The place at which the wires to the neighbours of `v` are straightest, and how much that counts."""
    vertex = vertices[v]
    places = [(u, vertices[u].exits.get(wire, 0) - vertex.entries.get(wire, 0)) for wire, u in vertex.ins * from_ins]
    places += [(u, vertices[u].entries.get(wire, 0) - vertex.exits.get(wire, 0)) for wire, u in vertex.outs * from_outs]
    total = weights = 0.0
    for u, offset in places:
        weight = 1 if v < boxes else STRAIGHT[u >= boxes]
        total += weight * (vertices[u].across + offset)
        weights += weight
    return (total / weights, weights) if weights else (vertex.across, 0.01)


def _apart(wishes: list[tuple[float, float]], gaps: list[float]) -> list[float]:
    """The places nearest to `wishes` (place, weight), weighted squares summed up, at distances of `gaps` or more.

    Isotonic regression by pooling adjacent violators.

    >>> _apart([(0, 1), (0, 1), (50, 1)], [10, 10])
    [-5.0, 5.0, 50.0]
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[list[float]] = []  # place, weight, how many
    for (wish, weight), offset in zip(wishes, offsets):
        blocks.append([wish - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            place, weight, count = blocks.pop()
            last = blocks[-1]
            blocks[-1] = [(last[0] * last[1] + place * weight) / (last[1] + weight), last[1] + weight, last[2] + count]
    places = [place for place, _, count in blocks for _ in range(int(count))]
    return [place + offset for place, offset in zip(places, offsets)]


# Places along, and lines.

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
    return Layout(places, starts, lines, max(ends, default=0),
                  max((vertex.across + vertex.high for vertex in vertices), default=0))
