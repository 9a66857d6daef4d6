"""Folding a graph: equal pieces that follow each other, such as res3b, res3c and res3d of ResNet, become one box."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.netdef.fields import without
from blobnet.view.draw.graph import Block, Box, Graph, Wire
from blobnet.view.draw.repeats import block_names

WORD = re.compile(r"[^\W_]*")
Shapes = Mapping[int, Mapping[str, tuple[int, ...]]]


class Run(NamedTuple):
    """`times` equal pieces of `length` boxes each, from box `start` on."""

    start: int
    length: int
    times: int

    @property
    def stop(self) -> int:
        return self.start + self.length * self.times

    @property
    def boxes(self) -> range:
        return range(self.start, self.stop)


def fold(graph: Graph, shapes: Shapes) -> Graph:
    """`graph` with a box of the kind `block` for equal pieces in a row; nothing is lost, the block holds all of them.

    Pieces are equal if their layers have the same types, options, multipliers and wires, and their blobs the same
    `shapes`, so that their parameters have too; names do not count, and boxes without shapes are equal to none. One
    blob goes into a piece, and one out of it to the next. Where pieces can be cut in several ways, those are taken
    that hide most boxes.
    """
    ways, runs = _Ways(graph), []
    taken: set[int] = set()  # boxes
    for run in _candidates(_kinds(graph, shapes)):
        if run.start in taken:
            continue
        while run.times > 1 and not (taken.isdisjoint(run.boxes) and ways.is_chain(run)):
            run = run._replace(times=run.times - 1)
        if run.times > 1:
            runs.append(run)
            taken.update(run.boxes)
    return _folded(graph, sorted(runs), ways) if runs else graph


def layer_numbers(graph: Graph) -> list[int]:
    """The numbers of all layers of `graph`, those in blocks too."""
    found: list[int] = []
    for box in graph.boxes:
        found += layer_numbers(box.block.whole) if box.block else box.numbers
    return found


# Equal boxes.

def _kinds(graph: Graph, shapes: Shapes) -> list[Hashable]:
    """What each box is, but for its names: equal for boxes that may be at the same place of equal pieces."""
    ways: dict[int, list[tuple[str, int, int]]] = {}  # box: what comes in: the blob, from how far, which wire there
    order: dict[int, int] = {}                        # box: wires so far
    for wire in graph.wires:
        order[wire.source] = order.get(wire.source, -1) + 1
        for target in wire.targets:
            ways.setdefault(target, []).append((wire.blob, target - wire.source, order[wire.source]))
    kinds: list[Hashable] = []
    for number, box in enumerate(graph.boxes):
        if not box.layers:
            kinds.append(number)
            continue
        first = box.layers[0]
        came = [[tuple(rest) for name, *rest in ways.get(number, []) if name == blob] for blob in first.bottom]
        sizes = [[known[blob] for known in shapes.values() if blob in known] for blob in (*first.bottom, *first.top)]
        kinds.append(repr((list(map(_bare, box.layers)), came, sizes)) if all(sizes) else number)
    return kinds


def _bare(layer: Message) -> bytes:
    """A layer without its weights and without all names."""
    bare = without(layer, "blobs")
    for field in ("name", "bottom", "top"):
        bare.ClearField(field)
    for spec in bare.param:
        spec.ClearField("name")
    return bare.SerializeToString(deterministic=True)


def _candidates(kinds: Sequence[Hashable]) -> list[Run]:
    """All runs of equal pieces, those first that hide most boxes; of these, those of the shortest pieces."""
    found = []
    for length in range(1, len(kinds) // 2 + 1):
        alike = 0  # boxes from `start` on that are equal to those a piece later
        for start in reversed(range(len(kinds) - length)):
            alike = alike + 1 if kinds[start] == kinds[start + length] else 0
            if alike >= length:
                found.append(Run(start, length, alike // length + 1))
    return sorted(found, key=lambda run: (-run.length * (run.times - 1), run.length, run.start))


# Wires in and out.

class _Ways:
    """The wires of a graph, for pieces of its boxes."""

    def __init__(self, graph: Graph):
        self.wires = graph.wires

    def into(self, start: int, stop: int) -> list[int]:
        """The numbers of the wires that come into the boxes from `start` up to `stop`."""
        return [number for number, wire in enumerate(self.wires)
                if wire.source < start and any(start <= target < stop for target in wire.targets)]

    def out(self, start: int, stop: int) -> list[int]:
        """The numbers of the wires that go out of them."""
        return [number for number, wire in enumerate(self.wires)
                if start <= wire.source < stop and any(target >= stop for target in wire.targets)]

    def is_chain(self, run: Run) -> bool:
        """Whether one wire goes into each piece and one out of it, to the next piece alone."""
        before = None
        for start in range(run.start, run.stop, run.length):
            stop = start + run.length
            into, out = self.into(start, stop), self.out(start, stop)
            if len(into) != 1 or len(out) != 1 or before not in (None, into[0]):
                return False
            if stop < run.stop and max(self.wires[out[0]].targets) >= stop + run.length:
                return False
            before = out[0]
        return True


def _folded(graph: Graph, runs: list[Run], ways: _Ways) -> Graph:
    boxes: list[Box] = []
    place: dict[int, int] = {}  # of each box in the new graph
    for number, box in enumerate(graph.boxes):
        run = next((run for run in runs if number in run.boxes), None)
        if run is None or number == run.start:
            boxes.append(box if run is None else Box([], [], block=_block(graph, run, ways)))
        place[number] = len(boxes) - 1
    wires = []
    for wire in graph.wires:
        source, targets = place[wire.source], sorted({place[target] for target in wire.targets} - {place[wire.source]})
        if targets:
            wires.append(wire._replace(source=source, targets=targets))
    return graph._replace(boxes=boxes, wires=wires)


def _block(graph: Graph, run: Run, ways: _Ways) -> Block:
    title = f"{run.times} × {' … '.join(_names(graph, run))}"
    once, whole = (_piece(graph, run.start, stop, ways, title) for stop in (run.start + run.length, run.stop))
    return Block(title, run.times, once, whole)


def _names(graph: Graph, run: Run) -> list[str]:
    """The names of the first piece and of the last one: those of their first layers, or what tells them apart."""
    titles = [[layer.name for box in graph.boxes[start:start + run.length] for layer in box.layers]
              for start in (run.start, run.stop - run.length)]
    firsts = [names[0] for names in titles]
    short = block_names(*titles) if run.length > 1 else []
    return [first[:WORD.match(first, len(name)).end()] for name, first in zip(short, firsts)] or firsts


def _piece(graph: Graph, start: int, stop: int, ways: _Ways, title: str) -> Graph:
    """The boxes from `start` up to `stop`, between one where their blob comes in and one where it goes out."""
    (into,), (out,) = ways.into(start, stop), ways.out(start, stop)
    wires = [Wire("", 0, [target - start + 1 for target in graph.wires[into].targets if start <= target < stop],
                  graph.wires[into].blob)]
    for number, wire in enumerate(graph.wires):
        if start <= wire.source < stop:
            targets = [target - start + 1 for target in wire.targets if target < stop] + [stop - start + 1] * (
                number == out)
            wires.append(Wire("" if number == out else wire.label, wire.source - start + 1, targets, wire.blob))
    boxes = [Box([], [], title), *graph.boxes[start:stop], Box([], [])]
    return graph._replace(boxes=boxes, wires=wires)
