"""Columns of a layered drawing, and their places across the flow.

A column is what stands at one place across in several ranks: the trunk, the lanes of a wire, or a single box. Columns
stand as near to the trunk as their neighbours let them, so that the drawing is narrow; then they move out to where
their wires are straight, if there is room.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from statistics import median_high, median_low

from blobnet.view.draw.ranks import Vertex

SWEEPS = 8                  # of columns that move out
APART, LANES_APART = 16, 9  # least distance across of two boxes, and of a lane and its neighbours
BOXES_PULL = 4              # how many other wires one from box to box counts as
Gaps = dict[tuple[int, int], float]        # two columns that are neighbours in a rank: their least distance
Pulls = dict[int, list[tuple[int, float]]]  # column: others that it has wires to, and how far from them it is to stand


def place_columns(vertices: list[Vertex], boxes: int, ranks: list[list[int]], columns: dict[int, int],
                  trunk: list[int]) -> None:
    """Set `across` of the `vertices`, where `columns` are their columns; that of the `trunk` has a vertex in each rank.

    The straight wires of columns do not cross, so "stands behind" has no circles, and all of a column is on one side of
    the trunk.
    """
    if not trunk:
        return
    gaps, middle = _gaps(vertices, boxes, ranks, columns), columns[trunk[0]]
    places = _packed(gaps, middle)
    _settle(places, gaps, _pulls(vertices, boxes, columns), middle)
    for v, vertex in enumerate(vertices):
        vertex.across = places[columns[v]]


def _gaps(vertices: list[Vertex], boxes: int, ranks: list[list[int]], columns: dict[int, int]) -> Gaps:
    gaps: Gaps = {}
    for rank in ranks:
        for a, b in zip(rank, rank[1:]):
            gap = vertices[a].high + vertices[b].low + (APART if max(a, b) < boxes else LANES_APART)
            pair = columns[a], columns[b]
            gaps[pair] = max(gaps.get(pair, 0), gap)
    return gaps


def _neighbours(gaps: Gaps) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """The neighbours of each column on the lower and on the higher side."""
    lower: dict[int, list[int]] = {}
    higher: dict[int, list[int]] = {}
    for a, b in gaps:
        higher.setdefault(a, []).append(b)
        lower.setdefault(b, []).append(a)
    return lower, higher


def _packed(gaps: Gaps, trunk: int) -> dict[int, float]:
    """The places of all columns, from low to high, as near to the trunk, which is at 0, as the gaps let them."""
    lower, higher = _neighbours(gaps)
    order = list(TopologicalSorter(lower).static_order()) or [trunk]
    places = {trunk: 0.0}
    for column in order[order.index(trunk) + 1:]:
        found = [places[other] + gaps[other, column] for other in lower.get(column, ()) if other in places]
        if found:
            places[column] = max(found)
    for column in reversed(order):
        if column not in places:
            places[column] = min(places[other] - gaps[column, other] for other in higher[column])
    return {column: places[column] for column in order}


def _settle(places: dict[int, float], gaps: Gaps, pulls: Pulls, trunk: int) -> None:
    """Move every column but the trunk, between its neighbours, to the outer one of the places where most of its wires
    are straight; those that stand outermost move first and make room."""
    lower, higher = _neighbours(gaps)
    order = sorted(pulls.keys() - {trunk}, key=lambda column: (-abs(places[column] - places[trunk]), column))
    for _ in range(SWEEPS):
        for column in order:
            wishes = [places[other] + offset for other, offset in pulls[column]]
            place = (median_high if places[column] > places[trunk] else median_low)(wishes)
            place = max([place, *(places[other] + gaps[other, column] for other in lower.get(column, ()))])
            places[column] = min([place, *(places[other] - gaps[column, other] for other in higher.get(column, ()))])


def _pulls(vertices: list[Vertex], boxes: int, columns: dict[int, int]) -> Pulls:
    pulls: Pulls = {}
    for v, vertex in enumerate(vertices):
        for wire, u in vertex.outs:
            if columns[v] != columns[u]:
                offset = vertices[u].entries.get(wire, 0) - vertex.exits.get(wire, 0)
                times = BOXES_PULL if max(u, v) < boxes else 1
                pulls.setdefault(columns[v], []).extend([(columns[u], offset)] * times)
                pulls.setdefault(columns[u], []).extend([(columns[v], -offset)] * times)
    return pulls
