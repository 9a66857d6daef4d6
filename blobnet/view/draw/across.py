"""Where the boxes and lanes of a layered drawing stand across the flow, and where wires leave and enter boxes.

The trunk, a longest path, is one straight line: its wires leave and enter boxes at their centres. Around it other wires
are straight as far as there is room.
Source: the alignment of Brandes, Köpf, Fast and simple horizontal coordinate assignment, 2001, with the trunk first.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from blobnet.view.draw.columns import place_columns
from blobnet.view.draw.ranks import Vertex

ENTRIES_APART = 14  # of the wires that enter a box
Links = dict[int, tuple[int, int]]  # vertex: a wire that leaves it, and the vertex that it comes to


class Room(NamedTuple):
    """The room for the label of a wire: `length` along it, and `low` and `high` across, on its two sides."""

    length: float
    low: float
    high: float


def spread(vertices: list[Vertex], boxes: int, ranks: list[list[int]], rooms: Sequence[Room]) -> None:
    """Set `across`, `half`, `exits`, `entries` and `turned` of the `vertices`; the first `boxes` of them are boxes."""
    places = {v: i for rank in ranks for i, v in enumerate(rank)}
    trunk = longest_path(vertices, boxes, ranks, places)
    straight = _straight(vertices, boxes, places, trunk)
    entering = {after: wire for wire, after in straight.values()}
    for v in range(boxes):
        _exits(vertices[v], places, rooms, straight[v][0] if v in straight else None)
    for v in range(boxes):
        _entries(vertices, v, places, entering.get(v))
    place_columns(vertices, boxes, ranks, _columns(ranks, straight, boxes, set(trunk)), trunk)


def longest_path(vertices: list[Vertex], boxes: int, ranks: list[list[int]], places: dict[int, int]) -> list[int]:
    """A path of boxes, one in every rank; of several the one that is nearest to the middle of the ranks.

    places: of each vertex in its rank.
    """
    best: dict[int, tuple[float, int | None]] = {}  # of a path that ends here: how far off the middle; the box before
    for number, rank in enumerate(ranks):
        for v in rank:
            before = [(best[u][0], u) for _, u in vertices[v].ins if u in best]
            if v < boxes and (before or not number):
                far, u = min(before, default=(0.0, None))
                best[v] = far + abs(places[v] - (len(rank) - 1) / 2), u
    path = [min((v for v in ranks[-1] if v in best), key=lambda v: best[v][0])] if ranks else []
    while path and best[path[-1]][1] is not None:
        path.append(best[path[-1]][1])
    return path[::-1]


def _straight(vertices: list[Vertex], boxes: int, places: dict[int, int], trunk: list[int]) -> Links:
    """The wires that are to be straight: no two of them cross, leave one vertex or enter one.

    First those of the trunk, then those from lane to lane, then those from box to box that lie in the middle of what
    leaves and enters.
    """
    steps = set(zip(trunk, trunk[1:]))
    middles = [[median([places[u] for _, u in side]) if side else 0 for side in (vertex.ins, vertex.outs)]
               for vertex in vertices]
    wires = []
    for v, vertex in enumerate(vertices):
        for wire, u in vertex.outs:
            off = abs(places[u] - middles[v][1]) + abs(places[v] - middles[u][0])
            if (v < boxes) == (u < boxes):
                wires.append(((v, u) not in steps, v < boxes, off, v, wire, u))
    found: Links = {}
    taken: dict[int, list[tuple[int, int]]] = {}  # rank: places of both ends of the straight wires behind it
    for *_, v, wire, u in sorted(wires):
        ends, pair = taken.setdefault(vertices[v].rank, [(-1, -1), (len(places), len(places))]), (places[v], places[u])
        i = bisect(ends, pair)
        if ends[i - 1][0] < pair[0] < ends[i][0] and ends[i - 1][1] < pair[1] < ends[i][1]:
            ends.insert(i, pair)
            found[v] = wire, u
    return found


def _columns(ranks: list[list[int]], straight: Links, boxes: int, trunk: set[int]) -> dict[int, int]:
    """The column of each vertex, named by its first vertex. The trunk is one, and so are lanes behind lanes.

    Other boxes are free: a column of them would stand as far out as the fullest of its ranks.
    """
    columns: dict[int, int] = {}
    for rank in ranks:
        for v in rank:
            column = columns.setdefault(v, v)
            _, after = straight.get(v, (0, v))
            if {v, after} <= trunk or min(v, after) >= boxes:
                columns[after] = column
    return columns


def _exits(vertex: Vertex, places: dict[int, int], rooms: Sequence[Room], straight: int | None) -> None:
    """Wires leave a box in the order of where they go, the straight one at the centre; labels lie outward from it."""
    ends: dict[int, list[int]] = {}
    for wire, end in vertex.outs:
        ends.setdefault(wire, []).append(places[end])
    order = sorted(ends, key=lambda wire: sum(ends[wire]) / len(ends[wire]))
    middle = order.index(straight) if straight in ends else len(order) // 2
    turned = order[:middle or int(len(order) > 1)]
    position = 0.0
    for wire in order:
        low, high = rooms[wire].low, rooms[wire].high
        if wire in turned and low < high:
            low, high = high, low
            vertex.turned.add(wire)
        vertex.exits[wire] = position + low
        position += low + high
    if order:
        centre = vertex.exits[straight] if straight in ends else (vertex.exits[order[0]] + vertex.exits[order[-1]]) / 2
        vertex.exits = {wire: exit - centre for wire, exit in vertex.exits.items()}
        vertex.low, vertex.high = centre, position - centre
        vertex.half = max(vertex.half, *(abs(exit) + 8 for exit in vertex.exits.values()))


def _entries(vertices: list[Vertex], v: int, places: dict[int, int], straight: int | None) -> None:
    """Wires enter a box in the order of where they come from, the straight one at the centre."""
    vertex = vertices[v]
    order = [wire for wire, _ in sorted(
        vertex.ins, key=lambda pair: (places[pair[1]], vertices[pair[1]].exits.get(pair[0], 0)))]
    middle = order.index(straight) if straight in order else (len(order) - 1) / 2
    vertex.entries = {wire: (i - middle) * ENTRIES_APART for i, wire in enumerate(order)}
    vertex.half = max([vertex.half, *(abs(entry) + ENTRIES_APART / 2 for entry in vertex.entries.values())])
    vertex.low, vertex.high = max(vertex.low, vertex.half), max(vertex.high, vertex.half)
