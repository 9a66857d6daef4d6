"""The ranks of a layered drawing: which boxes and lanes of wires stand in which, and in which order.

Source: Sugiyama, Tagawa, Toda 1981: ranks by longest paths, few crossings by barycentres.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from blobnet.view.draw.graph import Wire

SWEEPS = 16  # through all ranks, for each first order


@dataclass
class Vertex:
    """A box, or the lane of a wire in one rank (`half` 0)."""

    rank: int
    half: float = 0
    low: float = 0     # what it takes across, labels included
    high: float = 0
    across: float = 0
    outs: list[tuple[int, int]] = field(default_factory=list)  # (wire, vertex of the next rank)
    ins: list[tuple[int, int]] = field(default_factory=list)   # (wire, vertex of the rank before)
    exits: dict[int, float] = field(default_factory=dict)      # where the wire leaves, from the centre
    entries: dict[int, float] = field(default_factory=dict)
    turned: set[int] = field(default_factory=set)              # wires whose labels lie on the other side than usual


def rank_vertices(halves: Sequence[float], wires: Sequence[Wire]) -> list[Vertex]:
    """The boxes of half sizes `halves`, ranked by their longest path from the start, and the lanes of long wires."""
    ranks = [0] * len(halves)
    edges = sorted((wire.source, target) for wire in wires for target in wire.targets)
    for source, target in edges:
        ranks[target] = max(ranks[target], ranks[source] + 1)
    entered = {target for _, target in edges}
    for source in reversed(range(len(halves))):  # what has no wire in moves up to its reader
        targets = [ranks[target] for start, target in edges if start == source] if source not in entered else []
        if targets:
            ranks[source] = min(targets) - 1
    vertices = [Vertex(rank, half) for rank, half in zip(ranks, halves)]
    for number, wire in enumerate(wires):
        lanes: dict[int, int] = {}  # rank: vertex
        for target in wire.targets:
            before = wire.source
            for rank in range(ranks[wire.source] + 1, ranks[target]):
                if rank not in lanes:
                    lanes[rank] = len(vertices)
                    vertices.append(Vertex(rank))
                    _join(vertices, number, before, lanes[rank])
                before = lanes[rank]
            _join(vertices, number, before, target)
    return vertices


def _join(vertices: list[Vertex], wire: int, start: int, end: int) -> None:
    vertices[start].outs.append((wire, end))
    vertices[end].ins.append((wire, start))


def order_ranks(vertices: list[Vertex]) -> list[list[int]]:
    """The vertices of each rank in an order with few crossings: sweeps start from several orders, and the best one
    counts. It or its mirror image is taken, the one in which lower numbers come first more often.
    """
    found = []
    for flip_wires, flip_targets in ((False, False), (False, True), (True, False), (True, True)):
        found.append(_swept(vertices, _first_order(vertices, flip_wires, flip_targets)))
        if not found[-1][0]:
            break
    ranks = min(found, key=lambda pair: pair[0])[1]
    natural = sum(1 if a < b else -1 for rank in ranks for a, b in zip(rank, rank[1:]))
    return ranks if natural >= 0 else [rank[::-1] for rank in ranks]


def _first_order(vertices: list[Vertex], flip_wires: bool, flip_targets: bool) -> list[list[int]]:
    """Depth-first, by the order of wires and of their targets, or against it."""
    ranks: list[list[int]] = [[] for _ in range(1 + max((vertex.rank for vertex in vertices), default=-1))]
    seen: set[int] = set()
    for root in sorted(range(len(vertices)), key=lambda v: bool(vertices[v].ins)):
        stack = [root]
        while stack:
            v = stack.pop()
            if v not in seen:
                seen.add(v)
                ranks[vertices[v].rank].append(v)
                outs = vertices[v].outs[::-1 if flip_targets else 1]
                outs = sorted(outs, key=lambda out: -out[0] if flip_wires else out[0])
                stack += [end for _, end in reversed(outs)]
    return ranks


def _swept(vertices: list[Vertex], ranks: list[list[int]]) -> tuple[int, list[list[int]]]:
    """The least number of crossings that sweeps to the barycentres reach from `ranks`, and the order that has it."""
    best, fewest = [list(rank) for rank in ranks], _crossings(vertices, ranks)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for here, there in zip(ranks[1:], ranks) if down else zip(ranks[-2::-1], ranks[:0:-1]):
            places = {v: i for i, v in enumerate(there)}
            centres = {}
            for i, v in enumerate(here):
                near = [places[u] for _, u in (vertices[v].ins if down else vertices[v].outs)]
                centres[v] = sum(near) / len(near) if near else i * len(there) / len(here)
            here.sort(key=centres.__getitem__)
        count = _crossings(vertices, ranks)
        if count < fewest:
            best, fewest = [list(rank) for rank in ranks], count
    return fewest, best


def _crossings(vertices: list[Vertex], ranks: list[list[int]]) -> int:
    total = 0
    for here, after in zip(ranks, ranks[1:]):
        places = {v: i for i, v in enumerate(after)}
        ends: list[int] = []  # of the wires so far, sorted
        for v in here:
            new = [places[u] for _, u in vertices[v].outs]
            total += sum(len(ends) - bisect_right(ends, end) for end in new)
            for end in new:
                insort(ends, end)
    return total
