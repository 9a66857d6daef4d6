"""Equal pieces of a net in a row are drawn once, and nothing is lost."""

import functools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.cli import main
from blobnet.errors import BlobnetError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.text import parse
from blobnet.view.draw import draw_net
from blobnet.view.draw.built import blob_shapes, built_nets
from blobnet.view.draw.fold import fold, layer_numbers
from blobnet.view.draw.graph import net_graph
from blobnet.view.draw.parts import net_parts
from blobnet.view.draw.shapes import Curve, Text

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
INPUT = ('name: "net" layer { name: "in" type: "Input" top: "x" '
         "input_param { shape { dim: 2 dim: 8 dim: 6 dim: 6 } } }\n")


def layer(kind, name, *bottoms, top=None, more=""):
    blobs = "".join(f' bottom: "{blob}"' for blob in bottoms) + f' top: "{top or name}"'
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {more} }}\n'


def convolution(name, bottom, outputs=8, size=1, more=""):
    options = f"convolution_param {{ num_output: {outputs} kernel_size: {size} pad: {size // 2} }} {more}"
    return layer("Convolution", name, bottom, more=options) + layer("ReLU", f"{name}/relu", name, top=name)


def inception(name, bottom):
    """A module of GoogLeNet, which makes as many channels as it gets, 8."""
    return "".join([
        convolution(f"{name}/1x1", bottom, 2), convolution(f"{name}/3x3_reduce", bottom, 1),
        convolution(f"{name}/3x3", f"{name}/3x3_reduce", 3, 3), convolution(f"{name}/5x5_reduce", bottom, 1),
        convolution(f"{name}/5x5", f"{name}/5x5_reduce", 2, 5),
        layer("Pooling", f"{name}/pool", bottom, more="pooling_param { kernel_size: 3 stride: 1 pad: 1 }"),
        convolution(f"{name}/pool_proj", f"{name}/pool", 1),
        layer("Concat", name, *(f"{name}/{part}" for part in ("1x1", "3x3", "5x5", "pool_proj")))])


def residual(name, bottom):
    return (convolution(f"{name}_a", bottom, 4) + convolution(f"{name}_b", f"{name}_a", 8, 3)
            + layer("Eltwise", name, bottom, f"{name}_b"))


def stack(make, *names, bottom="x"):
    text = ""
    for name in names:
        text, bottom = text + make(name, bottom), name
    return text


def graphs(text, phases=(1,)):
    """The graph of a net and the folded one."""
    net = text if not isinstance(text, str) else parse(text, "NetParameter", "net")
    shapes = blob_shapes(built_nets(net, phases, {}, "net")[0])
    graph = net_graph(net, shapes)
    return graph, fold(graph, shapes)


@functools.cache
def published(name):
    return graphs(upgrade_net(read_message(PROTOTXT / name, "NetParameter")))


def titles(graph):
    return [box.block.title for box in graph.boxes if box.block]


@pytest.mark.parametrize("name, expected", [
    ("resnet/deploy_50.prototxt", ["2 × res2b … res2c", "3 × res3b … res3d", "5 × res4b … res4f", "2 × res5b … res5c"]),
    ("vgg/deploy_16.prototxt", ["2 × conv3_2 … conv3_3", "2 × conv4_2 … conv4_3", "3 × conv5_1 … conv5_3"]),
    ("segnet/deploy.prototxt", ["2 × conv3_2 … conv3_3", "2 × conv4_2 … conv4_3", "3 × conv5_1 … conv5_3",
                                "3 × conv5_3_D … conv5_1_D", "2 × conv4_3_D … conv4_2_D", "2 × conv3_3_D … conv3_2_D"]),
])
def test_published_nets(name, expected):
    graph, folded = published(name)
    assert titles(folded) == expected
    assert layer_numbers(folded) == layer_numbers(graph)


def edges(graph):
    """Every wire as (layer that makes it, layer that reads it, blob), through blocks: numbers of first layers, or the
    label of an end."""
    found = Counter()
    name = [box.numbers[0] if box.numbers else box.label for box in graph.boxes]
    for wire in graph.wires:
        source, targets = graph.boxes[wire.source], []
        makers = [last_maker(source.block.whole)] if source.block else [name[wire.source]]
        for target in wire.targets:
            block = graph.boxes[target].block
            targets += first_readers(block.whole) if block else [name[target]]
        found.update((maker, target, wire.blob) for maker in makers for target in targets)
    for box in graph.boxes:
        if box.block:
            whole = box.block.whole
            inner = whole._replace(wires=[wire._replace(targets=[t for t in wire.targets if t < len(whole.boxes) - 1])
                                          for wire in whole.wires if wire.source])
            found.update(edges(inner))
    return found


def last_maker(whole):
    (wire,) = [wire for wire in whole.wires if len(whole.boxes) - 1 in wire.targets]
    return whole.boxes[wire.source].numbers[0]


def first_readers(whole):
    return [whole.boxes[target].numbers[0] for wire in whole.wires if wire.source == 0 for target in wire.targets]


PIECES = {"c": convolution, "r": residual, "i": inception,
          "t": lambda name, bottom: layer("TanH", name, bottom),
          "s": lambda name, bottom: layer("Power", f"{name}_p", bottom) + layer("Power", name, f"{name}_p")}


@settings(max_examples=25)
@given(st.text("crits", min_size=1, max_size=10), st.sets(st.integers(0, 9), max_size=3))
def test_nothing_is_lost(plan, watched):
    """Any chain of pieces, some of whose blobs are read from outside, too."""
    names = [f"{kind}{i}" for i, kind in enumerate(plan)]
    text, bottom = INPUT, "x"
    for kind, name in zip(plan, names):
        text, bottom = text + PIECES[kind](name, bottom), name
    text += "".join(layer("AbsVal", f"seen{i}", names[i]) for i in sorted(watched) if i < len(names))
    graph, folded = graphs(text)
    assert layer_numbers(folded) == layer_numbers(graph)
    assert edges(folded) == edges(graph)
    for box in folded.boxes:
        if box.block:
            once, whole = layer_numbers(box.block.once), layer_numbers(box.block.whole)
            assert len(whole) == box.block.times * len(once) and whole[:len(once)] == once


@pytest.mark.parametrize("text, expected", [
    (stack(inception, "i1", "i2", "i3"), ["3 × i1 … i3"]),
    (stack(residual, "r1", "r2"), ["2 × r1 … r2"]),
    (stack(convolution, "one", "two", "three"), ["3 × one … three"]),
    # the pieces that hide most: r r twice, not c c
    (stack(residual, "r1", "r2") + convolution("c1", "r2") + convolution("c2", "c1")
     + stack(residual, "r3", "r4", bottom="c2"), ["2 × r1 … r2", "2 × c1 … c2", "2 × r3 … r4"]),
    # side by side is not in a row
    (stack(residual, "r1") + stack(residual, "q1"), []),
    # equal but for an option, a multiplier, the channels that come in
    (convolution("c1", "x") + convolution("c2", "c1", size=3), []),
    (convolution("c1", "x") + convolution("c2", "c1", more="param { lr_mult: 2 }"), []),
    (convolution("c1", "x", 4) + convolution("c2", "c1", 4) + convolution("c3", "c2", 4), ["2 × c2 … c3"]),
    # names of shared parameters are names
    (convolution("c1", "x", more='param { name: "w" }') + convolution("c2", "c1", more='param { name: "v" }'),
     ["2 × c1 … c2"]),
    # a blob on the way that others read ends the row
    (stack(convolution, "c1", "c2", "c3", "c4") + layer("TanH", "t", "c2"), ["2 × c1 … c2", "2 × c3 … c4"]),
    (stack(convolution, "c1", "c2") + layer("TanH", "t", "c1"), []),
    # two blobs between pieces
    ("".join(layer("Eltwise", f"e{i}", f"e{i - 1}" if i > 1 else "x", f"e{i - 2}" if i > 2 else "x")
             for i in range(1, 6)), []),
], ids=["inception", "residual", "names", "most", "branches", "option", "multiplier", "channels", "shared", "skip",
        "read", "two blobs"])
def test_what_is_equal(text, expected):
    assert titles(graphs(INPUT + text)[1]) == expected


def test_without_shapes_nothing_is_equal(tmp_path):
    text = layer("Data", "d", top="x") + stack(convolution, "c1", "c2", "c3")
    assert titles(graphs(text)[1]) == []
    note = draw_net(parse(text, "NetParameter", "net"), tmp_path / "net.svg", folded=True)
    assert "no shape of top 'x'" in note and "not folded" in note


# The drawing.

def frame(rectangle):
    return rectangle.x, rectangle.y, rectangle.x + rectangle.width, rectangle.y + rectangle.height


def apart(one, other):
    (left, top, right, bottom), (x, y, u, v) = frame(one), frame(other)
    return right <= x or u <= left or bottom <= y or v <= top


def rectangles(parts):
    return [rows[0][0] for rows in parts.boxes if rows]


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB", "BT"])
@pytest.mark.parametrize("unfolding", [False, True])
def test_frames_hold_their_pieces_and_nothing_else(rankdir, unfolding):
    text = INPUT + stack(residual, "r1", "r2") + layer("TanH", "t", "r2") + stack(inception, "i1", "i2", bottom="t")
    parts = net_parts(graphs(text)[1], rankdir, unfolding=unfolding)
    assert len(parts.frames) == 2
    for block in parts.frames.values():
        assert (block.whole is not None) == unfolding
        assert all(apart(block.once.frame, one) for one in rectangles(parts))
        for outline, inside in filter(None, [block.once, block.whole]):
            left, top, right, bottom = frame(outline)
            spots = [spot for wire in inside.wires for stroke in wire if isinstance(stroke, Curve)
                     for spot in (stroke.start, stroke.bend, stroke.end)]
            for one in rectangles(inside):
                spots += [frame(one)[:2], frame(one)[2:]]
            assert len(rectangles(inside)) > 3 and all(
                left - 0.1 <= x <= right + 0.1 and top - 0.1 <= y <= bottom + 0.1 for x, y in spots)


@pytest.mark.parametrize("rankdir, axis", [("TB", 0), ("LR", 1)])
def test_the_trunk_goes_straight_through_blocks(rankdir, axis):
    _, folded = published("resnet/deploy_50.prototxt")
    parts = net_parts(folded, rankdir, unfolding=True)
    (trunk,) = Counter(middle(rows, axis) for rows in parts.boxes if rows).most_common(1)
    for frame in parts.frames.values():
        for inside in (frame.once.parts, frame.whole.parts):
            (place,) = {middle(rows, axis) for rows in inside.boxes if rows}
            assert place == trunk[0]


def middle(rows, axis):
    first, last = rows[0][0], rows[-1][0]
    return round((first.x + first.width / 2, (first.y + last.y + last.height) / 2)[axis], 0)


@pytest.mark.parametrize("flags, shown", [(["--fold"], 6), (["--no-fold"], 56), ([], 56)])
def test_flags(flags, shown, tmp_path):
    net, out = tmp_path / "net.prototxt", tmp_path / "net.svg"
    net.write_text(INPUT + stack(residual, *(f"r{i}" for i in range(11))))
    assert main(["draw_net", str(net), str(out), *flags]) == 0
    assert out.read_text("utf-8").count('class="name"') == shown


def test_long_nets_are_folded(tmp_path):
    for count, shown in ((19, 96), (20, 6)):  # 96 and 101 layers
        draw_net(parse(INPUT + stack(residual, *map("r{}".format, range(count))), "NetParameter", "net"),
                 tmp_path / "net.svg")
        assert (tmp_path / "net.svg").read_text("utf-8").count('class="name"') == shown


def test_texts_are_not_folded(tmp_path):
    net = parse(INPUT + stack(residual, "r1", "r2"), "NetParameter", "net")
    with pytest.raises(BlobnetError, match="expected a page or a picture, which can be folded, got .dot"):
        draw_net(net, tmp_path / "net.dot", folded=True)
    draw_net(net, tmp_path / "net.dot")
    assert "r2_b" in (tmp_path / "net.dot").read_text("utf-8")


def test_a_title_is_in_the_picture():
    _, folded = graphs(INPUT + stack(residual, "r1", "r2"))
    (frame,) = net_parts(folded).frames.values()
    (text,) = [shape for rows in frame.once.parts.boxes for row in rows for shape in row
               if isinstance(shape, Text) and shape.role == "repeat"]
    assert text.text == "2 × r1 … r2"
