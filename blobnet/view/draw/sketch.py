"""A graph with what its boxes say and where they stand, and so for the blocks in it."""

from __future__ import annotations

from typing import NamedTuple

from blobnet.view.draw.across import Room
from blobnet.view.draw.graph import Block, Graph
from blobnet.view.draw.layout import Layout, arrange
from blobnet.view.draw.rows import BLOB, LINE, PAD, Row, box_rows, box_size, text_width


class Sketch(NamedTuple):
    """The rows of the boxes, the rooms for the labels of the wires, the layout; of each block, by the number of its
    box, its first piece and, if it can be unfolded, all of it."""

    graph: Graph
    rows: list[list[Row]]
    rooms: list[Room]
    layout: Layout
    blocks: dict[int, tuple[Sketch, Sketch | None]]


def sketch(graph: Graph, rankdir: str, display_lrm: bool = False, unfolding: bool = False) -> Sketch:
    """Arrange `graph`. `unfolding`: arrange its blocks unfolded, too, and leave room across for them."""
    upright = rankdir in ("TB", "BT")
    rows = [box_rows(box, graph, display_lrm) for box in graph.boxes]
    blocks: dict[int, tuple[Sketch, Sketch | None]] = {}
    sizes = []  # along, and half of it across
    for number, (lines, box) in enumerate(zip(rows, graph.boxes)):
        if box.block:
            blocks[number] = _pieces(box.block, rankdir, display_lrm, unfolding)
            sizes.append((blocks[number][0].layout.length, max(_half(piece) for piece in blocks[number] if piece)))
        elif lines or box.label:
            width, height = box_size(lines, box.label)
            sizes.append((height, width / 2) if upright else (width, height / 2))
        else:
            sizes.append((0, 0))
    rooms = [_room(wire.label, upright) for wire in graph.wires]
    return Sketch(graph, rows, rooms, arrange(sizes, graph.wires, rooms), blocks)


def _pieces(block: Block, rankdir: str, display_lrm: bool, unfolding: bool) -> tuple[Sketch, Sketch | None]:
    return (sketch(block.once, rankdir, display_lrm),
            sketch(block.whole, rankdir, display_lrm) if unfolding else None)


def _half(piece: Sketch) -> float:
    """Half the size across of a frame around `piece`, with the line from its first box to its last in the middle."""
    axis = piece.layout.places[0].across
    return max(axis, piece.layout.breadth - axis) + PAD


def _room(label: str, upright: bool) -> Room:
    """The room for a label: beside its wire in an upright picture, else on it."""
    width = text_width(label, BLOB) + 10 if label else 0
    if upright:
        return Room(LINE + 4 if label else 0, 6, 6 + width)
    return Room(width, LINE if label else 6, 6)
