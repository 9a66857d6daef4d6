"""Pictures of nets: `blobnet draw_net`."""

import itertools
import re
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from blobnet.cli import main
from blobnet.core.fillers import FILLERS
from blobnet.errors import BlobnetError, NetError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.text import parse
from blobnet.view.draw import draw_net
from blobnet.view.draw.built import blob_shapes, built_nets
from blobnet.view.draw.fold import fold
from blobnet.view.draw.graph import Wire, net_graph
from blobnet.view.draw.layout import Room, arrange
from blobnet.view.draw.picture import net_picture
from blobnet.view.draw.rows import text_width
from blobnet.view.draw.shapes import Curve, Rectangle, Text
from blobnet.view.draw.svg import svg
from blobnet.view.draw.text import dot, mermaid
from blobnet.view.layer_facts import facts

ROOT = Path(__file__).parent.parent.parent
DSH = ROOT / "prototxt" / "dsh" / "train_test_12.prototxt"
DNNH = ROOT / "prototxt" / "dnnh" / "train_test_12.prototxt"
RANKDIRS = ("LR", "RL", "TB", "BT")
INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } } '


def read(text):
    return parse(text, "NetParameter", "net")


def graph_of(text, phases=(0, 1)):
    return net_graph(read(text), {phase: {} for phase in phases})


def layer(kind, name, bottom, top=None, more=""):
    blobs = "".join(f' bottom: "{blob}"' for blob in bottom.split())
    blobs += "".join(f' top: "{blob}"' for blob in (name if top is None else top).split())
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {more} }}\n'


def convolution(name, bottom, size):
    return (layer("Convolution", name, bottom, None, f"convolution_param {{ num_output: 8 kernel_size: {size} "
                  f"pad: {size // 2} }}") + layer("ReLU", f"relu_{name}", name, name))


def inception(name, bottom):
    text = convolution(f"{name}/1x1", bottom, 1) + layer(
        "Pooling", f"{name}/pool", bottom, None, "pooling_param { kernel_size: 3 stride: 1 pad: 1 }")
    for size in (3, 5):
        text += convolution(f"{name}/{size}_reduce", bottom, 1)
        text += convolution(f"{name}/{size}", f"{name}/{size}_reduce", size)
    return text + layer("Concat", name, f"{name}/1x1 {name}/3 {name}/5 {name}/pool")


def branches(count=3):
    """A net like GoogLeNet: data of two phases, modules of four branches, losses on the way and at the end."""
    text = 'name: "branches"\n'
    for phase, batch in (("TRAIN", 4), ("TEST", 2)):
        shapes = f"shape {{ dim: {batch} dim: 3 dim: 8 dim: 8 }} shape {{ dim: {batch} }}"
        text += layer("DummyData", f"data_{phase}", "", "data label",
                      f"include {{ phase: {phase} }} dummy_data_param {{ {shapes} }}")
    bottom = "data"
    for i in range(count):
        text += inception(f"module{i}", bottom)
        bottom = f"module{i}"
        if i in (0, count - 1):
            text += layer("InnerProduct", f"fc{i}", bottom, None, "inner_product_param { num_output: 5 }")
            text += layer("Dropout", f"drop{i}", f"fc{i}", f"fc{i}", "include { phase: TRAIN }")
            text += layer("SoftmaxWithLoss", f"loss{i}", f"fc{i} label")
            text += layer("Accuracy", f"accuracy{i}", f"fc{i} label", None, "include { phase: TEST }")
    return text


def residual(count):
    """Blocks of three convolutions, each with three layers in place behind it, and a way around them."""
    text, bottom = INPUT, "x"
    for i in range(count):
        text += layer("Convolution", f"way{i}", bottom, None, "convolution_param { num_output: 3 kernel_size: 1 }")
        inside = bottom
        for part in "abc":
            name = f"res{i}{part}"
            text += layer("Convolution", name, inside, None, "convolution_param { num_output: 3 kernel_size: 1 }")
            text += "".join(layer(kind, f"{kind}_{name}", name, name) for kind in ("BatchNorm", "Scale", "ReLU"))
            inside = name
        text += layer("Eltwise", f"sum{i}", f"way{i} {inside}")
        bottom = f"sum{i}"
    return text


# The graph.

def shown(graph):
    """{first layer of a box, or label of an end: the layers in place}, {(from, to): blob}."""
    names = [box.layers[0].name if box.layers else f"[{box.label}]" for box in graph.boxes]
    boxes = {name: [layer.name for layer in box.layers[1:]] for name, box in zip(names, graph.boxes)}
    return boxes, {(names[wire.source], names[target]): wire.label for wire in graph.wires for target in wire.targets}


@pytest.mark.parametrize("text, boxes, wires", [
    (layer("A", "a", "", "x") + layer("B", "b", "x x"), {"a": [], "b": [], "[b]": []},
     {("a", "b"): "x", ("b", "[b]"): ""}),
    # layers in place join the box before them, one after the other
    (layer("A", "a", "", "x") + layer("R", "r", "x", "x") + layer("D", "d", "x", "x") + layer("B", "b", "x", ""),
     {"a": ["r", "d"], "b": []}, {("a", "b"): "x"}),
    # not if another layer reads the blob before them,
    (layer("A", "a", "", "x") + layer("B", "b", "x", "") + layer("R", "r", "x", "x") + layer("C", "c", "x", ""),
     {"a": [], "b": [], "r": [], "c": []}, {("a", "b"): "x", ("a", "r"): "x", ("r", "c"): "x"}),
    # not behind a layer of several tops,
    (layer("A", "a", "", "x y") + layer("R", "r", "x", "x") + layer("B", "b", "x y", ""),
     {"a": [], "r": [], "b": []}, {("a", "r"): "x", ("a", "b"): "y", ("r", "b"): "x"}),
    # and not with a second bottom
    (layer("A", "a", "", "x") + layer("A", "c", "", "y") + layer("S", "s", "x y", "x") + layer("B", "b", "x", ""),
     {"a": [], "c": [], "s": [], "b": []}, {("a", "s"): "x", ("c", "s"): "y", ("s", "b"): "x"}),
    # a blob that no layer makes, and one that no layer reads, have an end of their own
    (layer("B", "b", "nobody", "t u"), {"[nobody]": [], "b": [], "[t]": [], "[u]": []},
     {("[nobody]", "b"): "", ("b", "[t]"): "", ("b", "[u]"): ""}),
    # layers of one phase feed and read those of the same phase
    (layer("A", "a", "", "x", "include { phase: TRAIN }") + layer("A", "e", "", "x", "include { phase: TEST }")
     + layer("D", "d", "x", "x", "include { phase: TRAIN }") + layer("B", "b", "x", "")
     + layer("C", "c", "x", "", "exclude { phase: TRAIN }"),
     {"a": ["d"], "e": [], "b": [], "c": []}, {("a", "b"): "x", ("e", "b"): "x", ("e", "c"): "x"}),
    # layers chosen by stage are alternatives
    (layer("A", "a", "", "x", 'include { stage: "s" }') + layer("A", "e", "", "x", 'include { not_stage: "s" }')
     + layer("B", "b", "x", ""), {"a": [], "e": [], "b": []}, {("a", "b"): "x", ("e", "b"): "x"}),
])
def test_boxes_and_wires(text, boxes, wires):
    assert shown(graph_of(text)) == (boxes, wires)


@pytest.mark.parametrize("phases, data, batch", [((0,), "data_TRAIN", 4), ((1,), "data_TEST", 2)])
def test_a_graph_of_one_phase(phases, data, batch):
    boxes, wires = shown(graph_of(branches(), phases))
    assert {name for name in boxes if name.startswith("data")} == {data}
    assert ("accuracy0" in boxes) == (phases == (1,))
    assert (boxes["fc0"] == ["drop0"]) == (phases == (0,))
    assert ((data, "loss2") in wires) and wires[data, "loss2"] == "label"


@pytest.mark.parametrize("text, expected", [
    ('type: "Convolution" convolution_param { num_output: 96 kernel_size: 11 stride: 4 }',
     ["96 outputs", "kernel 11, stride 4, pad 0"]),
    ('type: "Convolution" convolution_param { num_output: 1 kernel_h: 1 kernel_w: 7 pad_w: 3 group: 2 dilation: 2 }',
     ["1 output", "kernel 1x7, stride 1, pad 0x3", "dilation 2, group 2"]),
    ('type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 }', ["AVE", "kernel 3, stride 2, pad 0"]),
    ('type: "Pooling" pooling_param { pool: AVE global_pooling: true }', ["AVE, global"]),
    ('type: "InnerProduct" inner_product_param { num_output: 12 }', ["12 outputs"]),
    ('type: "Dropout" dropout_param { dropout_ratio: 0.7 }', ["ratio 0.7"]),
    ('type: "Data" data_param { batch_size: 200 }', ["batch 200"]),
    ('type: "Eltwise" eltwise_param { operation: MAX }', ["MAX"]),
    ('type: "LRN" lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 }', ["WITHIN_CHANNEL", "size 3"]),
    ('type: "Concat"', ["axis 1"]), ('type: "ReLU"', []), ('type: "NoSuchType"', []),
    ('type: "Python" python_param { module: "m" layer: "L" }', ["m.L"]),
])
def test_facts(text, expected):
    assert facts(read(f"layer {{ {text} }}").layer[0]) == expected


# The picture: no box on another, no line through a box, no text on a box or line of others.

def overlap(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.01 and min(a[3], b[3]) - max(a[1], b[1]) > 0.01


def frame(shape):
    return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height


def text_frame(text):
    width = text_width(text.text, text.size, text.bold)
    left = text.x - {"start": 0, "middle": width / 2, "end": width}[text.anchor]
    return left, text.y - 0.75 * text.size, left + width, text.y + 0.2 * text.size


def points(curve):
    """Along a line: its straight part and its curve."""
    for t in np.linspace(0, 1, 12):
        yield tuple((1 - t) * np.array(curve.start) + t * np.array(curve.bend))
        yield tuple((1 - t) ** 3 * np.array(curve.bend) + 3 * (1 - t) ** 2 * t * np.array(curve.controls[0])
                    + 3 * (1 - t) * t ** 2 * np.array(curve.controls[1]) + t ** 3 * np.array(curve.end))


def check_picture(picture):
    boxes = [frame(shape) for shape in picture.shapes if isinstance(shape, Rectangle) and shape.fill != "none"]
    frames = [frame(shape) for shape in picture.shapes if isinstance(shape, Rectangle) and shape.fill == "none"]
    labels = [text_frame(shape) for shape in picture.shapes if isinstance(shape, Text) and shape.anchor != "middle"
              and shape.role == "blob"]
    lines = np.array([point for shape in picture.shapes if isinstance(shape, Curve) for point in points(shape)])
    for box in boxes + labels:
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= picture.width and box[3] <= picture.height
    for a, b in itertools.combinations(boxes + labels, 2):
        assert not overlap(a, b)
    for a, b in itertools.product(frames, boxes + labels):  # a frame holds a box or stands beside it
        assert not overlap(a, b) or (a[0] <= b[0] and a[1] <= b[1] and b[2] <= a[2] and b[3] <= a[3])
    for left, top, right, bottom in boxes + labels:
        inside = ((lines > (left + 0.1, top + 0.1)) & (lines < (right - 0.1, bottom - 0.1))).all(axis=1)
        assert not inside.any()
    for text in picture.shapes:  # and every text of a box lies in one
        if isinstance(text, Text) and text.role in ("name", "type", "fact"):
            left, top, right, bottom = text_frame(text)
            assert any(x <= left and y <= top and right <= u and bottom <= v for x, y, u, v in boxes), text


@pytest.mark.parametrize("rankdir", RANKDIRS)
@pytest.mark.parametrize("text", [
    branches(), residual(3), DSH.read_text("utf-8"), DNNH.read_text("utf-8"), INPUT,
    layer("A", "a" * 60, "", " ".join(f"top{i}" for i in range(9))) + layer("B", "b", "top3 top1", "") +
    layer("C", "c", " ".join(f"top{i}" for i in range(9)))], ids=["branches", "residual", "dsh", "dnnh", "one", "many"])
def test_nothing_lies_on_anything(text, rankdir):
    check_picture(net_picture(graph_of(text), rankdir, display_lrm=True))


@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_nothing_lies_on_anything_in_a_folded_net(rankdir):
    shapes = blob_shapes(built_nets(read(residual(3)), (0,), {}, "net")[0])
    graph = fold(net_graph(read(residual(3)), shapes), shapes)
    assert [box.block.times for box in graph.boxes if box.block] == [3]
    check_picture(net_picture(graph, rankdir))


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(set(ROOT.glob("prototxt/*/*.prototxt")) - set(ROOT.glob("*/*/*solver*"))),
                         ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_lies_on_anything_in_published_nets(path):
    check_picture(net_picture(net_graph(upgrade_net(read_message(path, "NetParameter")), {0: {}, 1: {}}), "TB"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 8), max_size=3), st.integers(1, 2), st.booleans()), min_size=1,
                max_size=12), st.sampled_from(RANKDIRS))
def test_nothing_lies_on_anything_in_any_net(plan, rankdir):
    text, blobs = "", []
    for i, (bottoms, tops, in_place) in enumerate(plan):
        read_blobs = [blobs[b % len(blobs)] for b in bottoms] if blobs else []
        made = read_blobs[:1] if in_place and read_blobs else [f"b{i}_{t}" for t in range(tops)]
        text += layer("ReLU", f"layer{i}", " ".join(read_blobs), " ".join(made))
        blobs += [blob for blob in made if blob not in blobs]
    check_picture(net_picture(graph_of(text), rankdir))


def test_a_chain_is_straight():
    chain = INPUT + "".join(layer("Power", f"p{i}", f"p{i - 1}" if i else "x") for i in range(5))
    curves = [shape for shape in net_picture(graph_of(chain)).shapes if isinstance(shape, Curve)]
    assert len(curves) == 6 and all(curve.start[1] == pytest.approx(curve.end[1]) for curve in curves)


def test_lines_lead_where_rankdir_says():
    for rankdir, axis, sign in (("LR", 0, 1), ("RL", 0, -1), ("TB", 1, 1), ("BT", 1, -1)):
        curves = [shape for shape in net_picture(graph_of(branches()), rankdir).shapes if isinstance(shape, Curve)]
        assert all(sign * (curve.end[axis] - curve.start[axis]) > 0 for curve in curves)


def test_parallel_branches_do_not_cross():
    """Two chains from one box to one box, wired crosswise by their order in the file."""
    wires = [Wire("", 0, [1]), Wire("", 0, [2]), Wire("", 1, [4]), Wire("", 2, [3]), Wire("", 3, [5]), Wire("", 4, [5])]
    layout = arrange([(10, 10)] * 6, wires, [Room(0, 5, 5)] * 6)
    across = [place.across for place in layout.places]
    assert (across[1] < across[2]) == (across[4] < across[3])


def test_a_wire_to_far_readers_is_one_line():
    wires = [Wire("", 0, [1, 3, 4]), Wire("", 1, [2]), Wire("", 2, [3, 4])]
    layout = arrange([(10, 10)] * 5, wires, [Room(0, 5, 5)] * 3)
    assert Counter(line.wire for line in layout.lines) == {0: 5, 1: 1, 2: 2}  # two lanes for both far readers
    assert [line.arrow for line in layout.lines].count(True) == 6


@pytest.mark.parametrize("count", [1, 2, 7])
def test_wires_begin_and_end_at_their_boxes(count):
    """`count` blobs from one box to another, which must grow to hold them."""
    layout = arrange([(10, 5), (10, 5)], [Wire("", 0, [1])] * count, [Room(30, 8, 40)] * count)
    source, target = layout.places
    starts = sorted(across for _, across in layout.starts.values())
    ends = sorted(line.end[1] for line in layout.lines)
    assert all(abs(across - source.across) < source.half for across in starts)
    assert all(abs(across - target.across) < target.half for across in ends)
    labels = sorted((across - (40 if wire in layout.turned else 8), across + (8 if wire in layout.turned else 40))
                    for wire, (_, across) in layout.starts.items())
    assert all(b[0] == pytest.approx(a[1]) for a, b in zip(labels, labels[1:]))
    assert bool(layout.turned) == (count > 1)  # labels lie outward on both sides
    assert all(b - a > 10 for a, b in zip(ends, ends[1:]))
    assert {along for along, _ in layout.starts.values()} == {source.along + source.length}
    assert {line.end[0] for line in layout.lines} == {target.along}


# The files.

def svg_texts(path, role):
    root = ElementTree.parse(path).getroot()
    return [item.text for item in root.iter("{http://www.w3.org/2000/svg}text") if item.get("class") == role]


@pytest.mark.parametrize("path, flags", [(DSH, ["--shape", "data=10,3,32,32"]),
                                         (DNNH, ["--shape", "data=48,3,32,32", "--rankdir", "TB"])])
def test_published_nets(path, flags, tmp_path, capsys):
    out = tmp_path / "net.svg"
    assert main(["draw_net", str(path), str(out), *flags]) == 0
    assert capsys.readouterr().out == f"Drawing net to {out}\n"
    net = read(path.read_text("utf-8"))
    assert Counter(svg_texts(out, "name")) == Counter(layer.name for layer in net.layer)
    labels = svg_texts(out, "blob")
    expected = {DSH: ["data 10x3x32x32", "conv1 10x32x32x32", "pool3 10x64x4x4", "loss scalar"],
                DNNH: ["data 48x3x32x32", "conv1 48x96x54x54", "slice_12 48x50x1x1", "code 48x12"]}[path]
    assert set(expected) <= set(labels)


def test_shapes_of_both_phases(tmp_path):
    (tmp_path / "net.prototxt").write_text(branches())
    assert draw_net(tmp_path / "net.prototxt", tmp_path / "net.svg") == ""
    labels = svg_texts(tmp_path / "net.svg", "blob")
    assert {"data 4x3x8x8", "data 2x3x8x8", "label 4", "label 2", "module0 4x27x8x8", "accuracy0 scalar"} <= set(labels)
    assert svg_texts(tmp_path / "net.svg", "fact").count("TEST only") == 3
    draw_net(tmp_path / "net.prototxt", tmp_path / "net.svg", phases=[1])
    assert "module0 2x27x8x8" in svg_texts(tmp_path / "net.svg", "blob")
    assert "TEST only" not in svg_texts(tmp_path / "net.svg", "fact")


@pytest.mark.parametrize("text, note", [
    (layer("Data", "d", "", "x") + layer("ReLU", "r", "x"), "no shape of top 'x' without its data"),
    (INPUT + layer("Convolutoin", "c", "x"), "unknown layer type 'Convolutoin'"),
    (layer("ReLU", "r", "nobody"), "unknown bottom 0, 'nobody'"),
])
def test_a_net_that_cannot_be_built_is_drawn_without_shapes(tmp_path, capsys, text, note):
    (tmp_path / "net.prototxt").write_text(text)
    assert main(["draw_net", str(tmp_path / "net.prototxt"), str(tmp_path / "net.svg")]) == 0
    assert "shapes left out: " in (said := capsys.readouterr().out) and note in said
    assert len(svg_texts(tmp_path / "net.svg", "name")) == text.count("layer {")


@pytest.mark.parametrize("spec, expected", [
    ("", "lr mult: 1.0, 1.0"), ("param { lr_mult: 3 }", "lr mult: 3.0, 1.0"),
    ("param { lr_mult: 1 } param { lr_mult: 2.5 }", "lr mult: 1.0, 2.5"),
    ("param { lr_mult: 0 } param { lr_mult: 0 }", None),
])
def test_rates(tmp_path, spec, expected):
    text = INPUT + layer("InnerProduct", "ip", "x", None, f"inner_product_param {{ num_output: 2 }} {spec}")
    for flag in (True, False):
        draw_net(read(text + layer("ReLU", "r", "ip")), tmp_path / "net.svg", display_lrm=flag)
        lines = [line for line in svg_texts(tmp_path / "net.svg", "fact") if line.startswith("lr")]
        assert lines == [expected] * (flag and expected is not None)


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".mmd", ".png"])
def test_letters_that_formats_mind(tmp_path, suffix):
    names = "a<b>&'c\\\"$x$\\\\n#;|{}", "\\001 é 图", ""
    draw_net(read(INPUT + "".join(layer("ReLU", name, "x", "") for name in names)), tmp_path / f"net{suffix}")
    if suffix == ".svg":
        assert svg_texts(tmp_path / "net.svg", "name")[1:] == ["a<b>&'c\"$x$\\n#;|{}", "\ufffd é 图", None]


def test_dot():
    text = dot(graph_of(branches()), "TB", display_lrm=True)
    assert text.startswith('digraph "branches" {\n  rankdir=TB;') and text.endswith("}\n")
    names = re.findall(r"<b>(.*?)</b>", text)
    assert Counter(names) == Counter(layer.name for layer in read(branches()).layer)
    nodes, edges = re.findall(r"^  n(\d+) \[", text, re.M), re.findall(r"^  n(\d+) -> n(\d+)", text, re.M)
    graph = graph_of(branches())
    assert len(nodes) == len(set(nodes)) == len(graph.boxes)
    assert len(edges) == sum(len(wire.targets) for wire in graph.wires) and set(sum(edges, ())) <= set(nodes)
    for table in re.findall(r"label=<(.*)>\];", text):
        ElementTree.fromstring(table)


def test_mermaid():
    text = mermaid(graph_of(branches()), "BT")
    lines = text.splitlines()
    assert lines[0] == "flowchart BT" and '-- "label" -->' in text
    assert Counter(re.findall(r"<b>(.*?)</b>", text)) == Counter(layer.name for layer in read(branches()).layer)
    nodes = re.findall(r"^  n(\d+)[\[(]", text, re.M)
    classed = [node for line in lines if line.startswith("  class ") for node in line.split()[1].split(",")]
    assert len(classed) == len(set(classed)) == sum(bool(box.layers) for box in graph_of(branches()).boxes)
    assert len(nodes) == len(graph_of(branches()).boxes)


@pytest.mark.parametrize("suffix, start", [
    (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml"), (".dot", b"digraph"), (".gv", b"digraph"),
    (".raw", b"digraph"), (".mmd", b"flowchart LR"), (".mermaid", b"flowchart LR")])
def test_the_suffix_names_the_format(tmp_path, suffix, start):
    draw_net(read(residual(1)), tmp_path / f"net{suffix}")
    assert (tmp_path / f"net{suffix}").read_bytes().startswith(start)


def test_png(tmp_path):
    draw_net(read(residual(1)), tmp_path / "net.png")
    picture = net_picture(net_graph(read(residual(1)), {0: {}}))
    with Image.open(tmp_path / "net.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    assert abs(height - 2 * picture.height) < 2 and width > 2 * picture.width  # wider: the shapes
    for colour in ((0xf8, 0xc9, 0xc0), (0xcd, 0xeb, 0xc5), (0xd6, 0xd0, 0xf0)):  # weighted, activation, normalization
        assert (pixels == colour).all(axis=2).sum() > 500


def test_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    draw_net(read(INPUT), tmp_path / "net.svg")
    with pytest.raises(BlobnetError, match=r"pip install 'blobnet\[view\]'"):
        draw_net(read(INPUT), tmp_path / "net.png")


def test_large_nets(tmp_path):
    text = residual(52)
    assert text.count("layer {") > 700
    start = time.process_time()
    draw_net(read(text), tmp_path / "net.svg", folded=False)
    assert time.process_time() - start < 8
    assert len(svg_texts(tmp_path / "net.svg", "name")) == text.count("layer {")


@pytest.mark.slow
def test_large_nets_as_dots(tmp_path):
    note = draw_net(read(residual(52)), tmp_path / "net.png", folded=False)
    assert "scaled by" in note
    with Image.open(tmp_path / "net.png") as image:
        assert 20_000 < image.width <= 32_001


def test_parameters_are_not_made(monkeypatch, tmp_path):
    """A picture of a net with 4 GB of weights takes none of them."""
    text = INPUT + layer("InnerProduct", "ip", "x", None, 'inner_product_param { num_output: 200000 '
                         'weight_filler { type: "xavier" } }') + layer("InnerProduct", "ip2", "ip", None,
                         'inner_product_param { num_output: 5000 weight_filler { type: "gaussian" } }')

    def draw(shape, filler, rng, where):
        raise AssertionError(f"{where} draws numbers")

    for name in ("xavier", "gaussian"):
        monkeypatch.setitem(FILLERS, name, draw)
    assert draw_net(read(text), tmp_path / "net.svg") == ""
    assert "ip2 2x5000" in svg_texts(tmp_path / "net.svg", "blob")


@pytest.mark.parametrize("words, status, says", [
    (["nt.prototxt", "net.svg"], 1, "did you mean 'net.prototxt'"),
    (["net.prototxt", "net.xyz"], 1, "dot, eps, .*mermaid, mmd, pdf, .*got 'xyz'"),
    (["net.prototxt", "no/net.svg"], 1, "there is no folder 'no'"),
    (["empty.prototxt", "net.svg"], 1, "empty.prototxt: no layer to draw"),
    (["broken.prototxt", "net.svg"], 1, "broken.prototxt:1:9"),
    (["both.prototxt", "net.svg", "--shape", "y=1"], 1, "shape of 'y': no data layer has this top"),
    (["net.prototxt", "net.svg", "--rankdir", "DT"], 2, "invalid choice"),
    (["net.prototxt", "net.svg", "--phase", "train"], 2, "invalid choice"),
    (["net.prototxt"], 2, "PICTURE"),
])
def test_errors(tmp_path, monkeypatch, capsys, words, status, says):
    monkeypatch.chdir(tmp_path)
    for name, text in {"net.prototxt": INPUT, "empty.prototxt": 'name: "n"', "broken.prototxt": "layer { nme: 'a' }",
                       "both.prototxt": branches(1)}.items():
        (tmp_path / name).write_text(text)
    try:
        got = main(["draw_net", *words])
    except SystemExit as stop:
        got = stop.code
    assert got == status and re.search(says, capsys.readouterr().err)
    assert not list(tmp_path.glob("net.[!p]*"))


def test_errors_of_the_function(tmp_path):
    with pytest.raises(BlobnetError, match="rankdir: expected LR or RL or TB or BT, got 'XY'"):
        draw_net(read(INPUT), tmp_path / "net.svg", rankdir="XY")
    with pytest.raises(NetError, match="did you mean 'x'"):
        draw_net(read(INPUT), tmp_path / "net.svg", shapes={"X": (1,)})


def test_svg_needs_no_declaration_of_its_letters():
    text = svg(net_picture(graph_of(INPUT)))
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>') and list(ElementTree.fromstring(text.encode()))
