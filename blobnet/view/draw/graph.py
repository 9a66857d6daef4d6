"""A net as a graph: boxes of layers, and the blobs that go from one box to others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.view.summary import shape_text

PHASES = (0, 1)  # TRAIN, TEST


class Box(NamedTuple):
    """A layer and those that work in place on its only top, in order; without layers, the end of a wire, or a block."""

    layers: list[Message]
    numbers: list[int]  # of the layers, in the net
    label: str = ""  # of the wire that ends or begins here, where no layer reads or makes the blob
    block: Block | None = None


class Block(NamedTuple):
    """Equal pieces of a net in a row, as one box.

    once, whole: the first piece, and all of them. Box 0 of both is where the blob comes in, and has `title` as its
    label; the last box is where one goes out, and has no label.
    """

    title: str
    times: int
    once: Graph
    whole: Graph


class Wire(NamedTuple):
    """The blob named `blob`, from the number of the box that makes it to those that read it. `label` is "" if an end
    shows it."""

    label: str
    source: int
    targets: list[int]
    blob: str = ""


class Graph(NamedTuple):
    """Boxes and wires; wires lead from lower to higher numbers of boxes."""

    name: str
    boxes: list[Box]
    wires: list[Wire]
    phases: tuple[int, ...]


def net_graph(net: Message, shapes: Mapping[int, Mapping[str, tuple[int, ...]]]) -> Graph:
    """The graph of `net` (upgraded, neither filtered nor split) in the phases that `shapes` has, 0 TRAIN and 1 TEST.

    `shapes` gives for each phase the shapes of the blobs by name, as far as they are known. In two phases it is the
    union of their nets: a blob that one layer makes in TRAIN and another in TEST comes from both, and goes to readers
    in one phase from the layer of that phase. Levels and stages are not looked at: layers chosen by them are all shown.
    A layer that works in place on its only bottom joins the box that the blob comes from, if no other layer reads it.
    """
    traces = {phase: _trace(net, phase) for phase in shapes}
    home: dict[int, int] = {}  # the first layer in the box of each layer
    for index in sorted(set().union(*(present for present, _ in traces.values()))):
        host = _host(net, index, traces.values())
        home[index] = index if host is None else home[host]
    missing = list(dict.fromkeys(blob for _, reads in traces.values() for source, blob in reads if source is None))
    boxes = [Box([], [], blob) for blob in missing]
    numbers = {}
    for index, first in home.items():
        if index == first:
            numbers[index] = len(boxes)
            boxes.append(Box([], []))
        boxes[numbers[first]].layers.append(net.layer[index])
        boxes[numbers[first]].numbers.append(index)
    targets: dict[tuple[int, str], set[int]] = {}
    labels: dict[tuple[int, str], str] = {}
    for phase, (present, reads) in traces.items():
        for index in sorted(present):
            for blob in net.layer[index].top:
                wire = numbers[home[index]], blob
                targets.setdefault(wire, set())
                labels.setdefault(wire, blob_label(blob, shapes[phase].get(blob)))
        for (source, blob), readers in reads.items():
            start = missing.index(blob) if source is None else numbers[home[source]]
            targets.setdefault((start, blob), set()).update({numbers[home[reader]] for reader in readers} - {start})
    wires = []
    for (start, blob), ends in targets.items():
        if not ends:
            ends.add(len(boxes))
            boxes.append(Box([], [], labels[start, blob]))
        at_end = any(boxes[number].label for number in (start, *ends))
        wires.append(Wire("" if at_end else labels[start, blob], start, sorted(ends), blob))
    return Graph(net.name, boxes, wires, tuple(shapes))


def only_phase(layer: Message) -> str:
    """"TRAIN" or "TEST" for a layer that its rules keep out of the other phase, else ""."""
    found = [phase for phase in PHASES if _in_phase(layer, phase)]
    return ("TRAIN", "TEST")[found[0]] if len(found) == 1 else ""


def blob_label(blob: str, shape: tuple[int, ...] | None) -> str:
    """A blob and its shape, such as "conv1 10x32x28x28"."""
    return blob if shape is None else f"{blob} {shape_text(shape)}"


def _in_phase(layer: Message, phase: int) -> bool:
    """Whether there is a level and a set of stages at which `layer` belongs to `phase`."""
    if layer.include:
        return any(not rule.HasField("phase") or rule.phase == phase for rule in layer.include)
    return not any(_is_plain(rule) and (not rule.HasField("phase") or rule.phase == phase) for rule in layer.exclude)


def _is_plain(rule: Message) -> bool:
    """Whether `rule` depends on the phase alone."""
    return not (rule.HasField("min_level") or rule.HasField("max_level") or rule.stage or rule.not_stage)


Reads = dict[tuple[int | None, str], list[int]]


def _trace(net: Message, phase: int) -> tuple[set[int], Reads]:
    """The layers of a phase, and for each blob and the layer that makes it the layers that read it."""
    present: set[int] = set()
    reads: Reads = {}
    made: dict[str, list[int]] = {}
    for index, layer in enumerate(net.layer):
        if not _in_phase(layer, phase):
            continue
        present.add(index)
        for blob in layer.bottom:
            for source in made.get(blob) or [None]:
                reads.setdefault((source, blob), []).append(index)
        always = all(map(_is_plain, [*layer.include, *layer.exclude]))
        for blob in layer.top:
            made[blob] = [index] if always else [*made.get(blob, []), index]
    return present, reads


def _host(net: Message, index: int, traces: Iterable[tuple[set[int], Reads]]) -> int | None:
    """The layer whose box the layer `index` joins, None if it has one of its own."""
    layer = net.layer[index]
    if len(layer.bottom) != 1 or list(layer.bottom) != list(layer.top):
        return None
    blob, hosts = layer.bottom[0], set()
    for present, reads in traces:
        if index in present:
            hosts |= {source if readers == [index] else None
                      for (source, name), readers in reads.items() if name == blob and index in readers}
    host = hosts.pop() if len(hosts) == 1 else None
    return host if host is not None and len(net.layer[host].top) == 1 else None
