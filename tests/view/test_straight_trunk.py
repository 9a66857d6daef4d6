"""The main path of a drawn net is straight, and what is beside it is near to it."""

import functools
import time
from collections import Counter
from pathlib import Path

import pytest

from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.text import parse
from blobnet.view.draw.built import blob_shapes, built_nets
from blobnet.view.draw.graph import Wire, net_graph
from blobnet.view.draw.layout import Room, arrange
from blobnet.view.draw.parts import net_parts
from blobnet.view.draw.shapes import Curve

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
RESNET = PROTOTXT / "resnet" / "train_val_50.prototxt"


@functools.cache
def read(path, phases, built=True):
    """The graph of a file; with the shapes of its blobs if it is to be built."""
    net = upgrade_net(read_message(path, "NetParameter"))
    shapes = blob_shapes(built_nets(net, phases, {}, str(path))[0]) if built else {phase: {} for phase in phases}
    return net_graph(net, shapes)


def longest(count, wires):
    """How many boxes the longest path has."""
    lengths = [1] * count
    for source, target in sorted((wire.source, target) for wire in wires for target in wire.targets):
        lengths[target] = max(lengths[target], lengths[source] + 1)
    return max(lengths)


def centres(parts):
    """The middles across of the boxes, in pixels."""
    return [round(rows[0][0].x + rows[0][0].width / 2, 1) for rows in parts.boxes]


def inception(count):
    """`count` modules of GoogLeNet: four branches, in which up to two layers stand behind one another."""
    text, bottom = 'layer { name: "in" type: "Input" top: "x" }', "x"

    def layer(kind, name, *bottoms):
        nonlocal text
        text += f'layer {{ name: "{name}" type: "{kind}" top: "{name}" ' + "".join(
            f'bottom: "{blob}" ' for blob in bottoms) + "}\n"

    for i in range(count):
        layer("Convolution", f"inception_{i}/1x1", bottom)
        for size in ("3x3", "5x5"):
            layer("Convolution", f"inception_{i}/{size}_reduce", bottom)
            layer("Convolution", f"inception_{i}/{size}", f"inception_{i}/{size}_reduce")
        layer("Pooling", f"inception_{i}/pool", bottom)
        layer("Convolution", f"inception_{i}/pool_proj", f"inception_{i}/pool")
        bottom = f"inception_{i}/output"
        layer("Concat", bottom, *(f"inception_{i}/{part}" for part in ("1x1", "3x3", "5x5", "pool_proj")))
    return net_graph(parse(text, "NetParameter", "net"), {0: {}})


@pytest.mark.parametrize("graph, width", [
    (lambda: read(RESNET, (0,)), 700), (lambda: read(RESNET, (1,)), 700), (lambda: read(RESNET, (0, 1)), 760),
    (lambda: read(PROTOTXT / "resnet" / "deploy_152.prototxt", (1,)), 700),
    (lambda: read(PROTOTXT / "segnet" / "deploy.prototxt", (1,)), 400),
    (lambda: read(PROTOTXT / "ssd" / "deploy_300.prototxt", (1,)), 2200),
    (lambda: read(PROTOTXT / "ssd" / "train_test_300.prototxt", (0,)), 2200),
    (lambda: read(PROTOTXT / "dnnh" / "train_test_12.prototxt", (0,)), 1400),
    (lambda: read(PROTOTXT / "lenet" / "train_test.prototxt", (0,)), 260),
    (lambda: read(PROTOTXT / "fcn" / "deploy_8s.prototxt", (1,), False), 500),
    (lambda: read(PROTOTXT / "faster_rcnn" / "vgg16_test.prototxt", (1,), False), 450),
    (lambda: read(PROTOTXT / "faster_rcnn" / "vgg16_train.prototxt", (0,), False), 1200),
    (lambda: read(PROTOTXT / "sbir" / "shoes_train_test.prototxt", (0,), False), 700),
    (lambda: inception(9), 900),
], ids=["resnet train", "resnet test", "resnet both", "resnet deploy", "segnet", "ssd", "ssd train", "dnnh", "lenet",
        "fcn", "faster r-cnn", "faster r-cnn train", "siamese", "inception"])
@pytest.mark.parametrize("rankdir", ["TB", "BT"])
def test_the_trunk_stands_on_one_line(graph, width, rankdir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no data is, of which shapes would be shown
    graph = graph()
    parts = net_parts(graph, rankdir)
    place, count = Counter(centres(parts)).most_common(1)[0]
    assert count >= longest(len(graph.boxes), graph.wires)
    assert parts.width <= width
    for curve in [stroke for wire in parts.wires for stroke in wire if isinstance(stroke, Curve)]:
        assert (curve.start[1] < curve.end[1]) == (rankdir == "TB")


def test_the_trunk_is_level_from_left_to_right():
    graph = read(RESNET, (0,))
    heights = [round(rows[0][0].y + sum(row[0].height for row in rows) / 2, 1) for rows in net_parts(graph, "LR").boxes]
    assert Counter(heights).most_common(1)[0][1] >= longest(len(graph.boxes), graph.wires)


def test_the_wires_of_the_trunk_are_straight():
    """Three blocks of two boxes with a wire around them: its lane lies beside them, and all others are straight."""
    wires = [wire for i in range(0, 9, 3) for wire in (Wire("", i, [i + 1, i + 3]), Wire("", i + 1, [i + 2]),
                                                       Wire("", i + 2, [i + 3]))]
    layout = arrange([(10, 10)] * 10, wires, [Room(0, 5, 5)] * len(wires))
    assert len({place.across for place in layout.places}) == 1
    bent = [line for line in layout.lines if line.start[1] != line.end[1]]
    assert len(bent) == 6 and {line.wire for line in bent} == {0, 3, 6}
    assert layout.breadth < 50


def test_boxes_on_the_way_out_are_not_further_out_than_they_must_be():
    """Heads of SSD: chains of three boxes that begin one after the other; lanes of the first pass the later ones."""
    wires, ends = [], []
    trunk, number = [0], 1
    for _ in range(6):
        wires.append(Wire("", trunk[-1], [number, number + 3]))
        wires += [Wire("", number, [number + 1]), Wire("", number + 1, [number + 2])]
        ends.append(number + 2)
        trunk.append(number + 3)
        number += 4
    wires += [Wire("", end, [number]) for end in [*ends, trunk[-1]]]
    layout = arrange([(10, 50)] * (number + 1), wires, [Room(0, 5, 5)] * len(wires))
    assert Counter(place.across for place in layout.places)[layout.places[0].across] >= longest(number + 1, wires)
    assert layout.breadth < 600  # a staircase of the heads would take 800


def test_what_stands_beside_the_trunk_is_straight_where_there_is_room():
    """Branches of a module: their boxes have other widths, and still stand on one line."""
    graph = inception(2)
    names = [box.layers[0].name if box.layers else "" for box in graph.boxes]
    across = dict(zip(names, centres(net_parts(graph, "TB"))))
    for i in range(2):
        lines = {across[f"inception_{i}/{part}_reduce"] for part in ("3x3", "5x5")} | {across[f"inception_{i}/pool"]}
        assert lines == {across[f"inception_{i}/{part}"] for part in ("3x3", "5x5", "pool_proj")} and len(lines) == 3


def test_time():
    graph = read(RESNET, (0, 1))
    start = time.process_time()
    net_parts(graph, "TB")
    assert time.process_time() - start < 1.5
