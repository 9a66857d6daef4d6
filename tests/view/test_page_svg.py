"""Drawings of nets for pages: what a page finds in them."""

import functools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.netdef.load import load
from blobnet.netdef.splits import insert_splits
from blobnet.proto.text import parse
from blobnet.view.draw.colours import FAMILIES
from blobnet.view.draw.graph import blob_label
from blobnet.view.draw.page_svg import page_svg, style
from blobnet.view.draw.repeats import repeats
from blobnet.view.draw.shapes import FAINT, INK
from blobnet.view.draw.unsplit import without_splits
from blobnet.view.layer_pages import families

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert('&amp;')</script>\"&\\"


def read(text):
    return parse(text, "NetParameter", "net")


def layer(kind, name, bottom="", top=None, more=""):
    quoted = [blob.replace("\\", "\\\\").replace('"', '\\"') for blob in (name, *bottom.split("|"), top or name)]
    bottoms = "".join(f' bottom: "{blob}"' for blob in quoted[1:-1] if blob)
    return f'layer {{ name: "{quoted[0]}" type: "{kind}"{bottoms} top: "{quoted[-1]}" {more} }}\n'


INPUT = layer("Input", "x", more="input_param { shape { dim: 2 dim: 4 } }")
IN_PLACE = INPUT + layer("Power", "p", "x") + "".join(layer("ReLU", f"r{i}", "p", "p") for i in range(5))
SPLIT = (INPUT + layer("Power", "a", "x") + layer("Power", "b", "x") + layer("ReLU", "relu", "a", "a")
         + layer("Eltwise", "sum", "a|b") + layer("Eltwise", "again", "sum|a|x")
         + layer("Reduction", "loss", "again", more="loss_weight: 1") + layer("Power", "of_loss", "loss"))
NAMES = (INPUT + layer("Power", HOSTILE, "x") + layer("ReLU", HOSTILE + "2", HOSTILE) + layer("TanH", "\x01", HOSTILE)
         + layer("TanH", "", HOSTILE, "no name") + layer("TanH", "é 图", HOSTILE))


@functools.cache
def net(name):
    if name in TEXTS:
        return Net(read(TEXTS[name]), TRAIN)
    definition = load(PROTOTXT / name, TRAIN)
    return Net(without_data(definition, SHAPES.get(name, {})), TRAIN, fillers=False)


TEXTS = {"in place": IN_PLACE, "split": SPLIT, "names": NAMES}
SHAPES = {"dnnh/train_test_12.prototxt": {"data": (48, 3, 32, 32)},
          "lenet/train_test.prototxt": {"data": (64, 1, 28, 28)}}
NETS = ["lenet/train_test.prototxt", "resnet/train_val_50.prototxt", "dnnh/train_test_12.prototxt", *TEXTS]
of_all_nets = pytest.mark.parametrize("name", NETS)


@functools.cache
def drawing(name):
    return ElementTree.fromstring(page_svg(net(name)).svg)


def clean(text):
    return text.replace("\x01", "\ufffd")


def found(root, attribute):
    return [element for element in root.iter() if attribute in element.attrib]


def numbers(text):
    return [float(number) for number in re.findall(r"-?[\d.]+", text)]


def frame(rectangle):
    return [float(rectangle.get(name)) for name in ("x", "y", "width", "height")]


@of_all_nets
def test_every_layer_but_splits_is_there_once(name):
    layers, groups = net(name).layers, found(drawing(name), "data-layer")
    shown = [i for i, each in enumerate(layers) if each.type != "Split"]
    assert sorted(int(group.get("data-layer")) for group in groups) == shown
    assert len(shown) < len(layers) or name in ("in place", "lenet/train_test.prototxt")
    for group in groups:
        each = layers[int(group.get("data-layer"))]
        assert group.get("class") == "layer" and group.get("tabindex") == "0" and group.get("role") == "button"
        assert group.get("aria-label").startswith(clean(f"{each.name}, {each.type}"))
        texts = {text.get("class"): text.text for text in group.iter(f"{SVG}text")}
        assert (texts["name"] or "") == clean(each.name) and texts["type"].strip("()") == each.type


@of_all_nets
def test_marks_stand_at_the_upper_right_corners(name):
    marks = found(drawing(name), "data-mark")
    assert len(marks) == len(found(drawing(name), "data-layer"))
    for group in found(drawing(name), "data-layer"):
        (mark,) = found(group, "data-mark")
        x, y, width, _ = frame(group.find(f"{SVG}rect"))
        assert mark.get("data-mark") == group.get("data-layer") and not len(mark)
        assert numbers(mark.get("transform")) == pytest.approx([x + width, y], abs=0.11)


@of_all_nets
def test_every_blob_of_the_user_has_one_wire_and_one_label(name):
    blobs = {}
    for node in net(name).nodes:
        blobs.update({top: clean(blob_label(top, net(name).blobs[top].shape)) for top in node.top_names
                      if node.layer.type != "Split"})
    wires = [group for group in found(drawing(name), "data-blob") if group.get("class") == "wire"]
    labels = [text for text in found(drawing(name), "data-blob") if text.get("class") == "blob"]
    assert Counter(group.get("data-blob") for group in wires) == Counter(map(clean, blobs))
    assert Counter(text.get("data-blob") for text in labels) == Counter(map(clean, blobs))
    assert {text.text for text in labels} == {group.find(f"{SVG}title").text for group in wires} == set(blobs.values())
    assert all(text.get("tabindex") == "0" and text.get("role") == "button" for text in labels)
    for group in wires:
        assert [part.get("class") for part in group] == ["data", "diff", None]
        assert group.find(f"{SVG}title").text.startswith(group.get("data-blob"))


@of_all_nets
def test_gradients_go_back_beside_the_data(name):
    """From the same boxes to the same boxes, 4 pixels apart and never across; the arrowhead is at the upper end."""
    for group in drawing(name).iter(f"{SVG}g"):
        if group.get("class") == "wire":
            data, diff = (numbers(path.get("d")) for path in group.findall(f"{SVG}path"))
            side = diff[0] - data[0]
            assert abs(side) == pytest.approx(4, abs=0.11)
            assert diff[1::2][0] == data[1::2][0] and max(diff[1::2]) == pytest.approx(max(data[1::2]), abs=0.11)
            assert diff[-4:-2] == diff[:2]
            assert group.find(f"{SVG}path[@class='data']").get("d").count("L") == data_pieces(group)
            labels = [text for text in found(drawing(name), "data-blob") if text.get("class") == "blob"
                      and text.get("data-blob") == group.get("data-blob") and text.get("text-anchor") != "middle"]
            for text in labels:
                assert (text.get("text-anchor") == "end") == (side > 0)


def data_pieces(group):
    """Straight pieces of the way of the data: one before each curve, three for each arrowhead."""
    path = group.find(f"{SVG}path[@class='data']").get("d")
    return path.count("C") + 3 * (path.count("M") - path.count("C"))


def test_wires_touch_their_boxes():
    rectangles = {group.get("data-layer"): frame(group.find(f"{SVG}rect"))
                  for group in found(drawing("split"), "data-layer")}
    made = {top: str(i) for i, each in enumerate(net("split").layers) if each.type != "Split" for top in each.param.top}
    for group in drawing("split").iter(f"{SVG}g"):
        if group.get("class") == "wire":
            x, y = numbers(group.find(f"{SVG}path").get("d"))[:2]
            left, top, width, height = rectangles[made[group.get("data-blob")]]
            assert left < x < left + width and y == pytest.approx(top + height, abs=0.11)


@of_all_nets
def test_the_page_gives_the_colours_and_the_size(name):
    drawn = page_svg(net(name))
    root = drawing(name)
    assert drawn.svg.startswith("<svg ") and "width" not in root.attrib and "height" not in root.attrib
    assert numbers(root.get("viewBox")) == pytest.approx([0, 0, drawn.width, drawn.height], abs=0.06)
    for element in root.iter():
        assert not {"fill", "stroke", "stroke-width", "style", "id"} & set(element.attrib)
        if element.tag == f"{SVG}rect":
            assert element.get("class") == "end" or element.get("class").removeprefix("family-") in FAMILIES


def test_names_cannot_leave_the_drawing():
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = parser.handle_startendtag = lambda tag, attributes: tags.append(tag)
    parser.feed(page_svg(net("names")).svg)
    parser.close()
    assert set(tags) == {"svg", "g", "path", "rect", "text", "title"}
    assert found(drawing("names"), "data-layer")[1].get("aria-label") == f"{HOSTILE}, Power"


def test_a_net_that_is_not_built():
    definition = read(INPUT + layer("Power", "train", "x", more="include { phase: TRAIN }")
                      + layer("Power", "test", "x", more="include { phase: TEST }") + layer("NoSuchType", "own", "x"))
    for phase, skipped in ((TRAIN, 2), (TEST, 1)):
        root = ElementTree.fromstring(page_svg(definition, phase).svg)
        assert [int(group.get("data-layer")) for group in found(root, "data-layer")] == [
            i for i in range(4) if i != skipped]
        assert "family-unknown" in {rectangle.get("class") for rectangle in root.iter(f"{SVG}rect")}
    assert page_svg(read("")).svg.startswith("<svg ")


# Splits.

def test_without_splits():
    original = read(SPLIT)
    inserted = insert_splits(original)
    assert len(inserted.layer) > len(original.layer) + 2
    definition, numbers = without_splits(inserted)
    assert [(each.name, [*each.bottom], [*each.top]) for each in definition.layer] == [
        (each.name, [*each.bottom], [*each.top]) for each in original.layer]
    assert [inserted.layer[i].name for i in numbers] == [each.name for each in original.layer]


def test_splits_of_splits_and_blobs_made_anew():
    definition, numbers = without_splits(read(
        INPUT + layer("Split", "s", "x", "y") + layer("Split", "t", "y", "z") + layer("ReLU", "relu", "z", "z")
        + layer("Power", "p", "z")))
    assert numbers == [0, 3, 4]
    assert [([*each.bottom], [*each.top]) for each in definition.layer] == [([], ["x"]), (["x"], ["z"]), (["z"], ["p"])]


# Blocks.

def block(name, wrong=""):
    """Four layers named after `name`, reading `wrong` if given, else what came before."""
    return [("Power", f"{name}_a"), ("ReLU", f"relu{name}_a"), ("TanH", f"{name}_b"), ("Eltwise", f"{name}")]


def chain(*blocks, options=lambda name: ""):
    text, bottom = INPUT, "x"
    for part in blocks:
        for kind, name in block(part):
            text += layer(kind, name, bottom, more=options(name))
            bottom = name
    return read(text).layer


@pytest.mark.parametrize("blocks, named", [
    (["b1", "b2"], "b1 b2"), (["u", "b8", "b9", "b10", "b11"], "b8 b9 b10 b11"), (["b1"], ""),
    (["one", "two"], "one two"), (["b1", "b1"], "")])
def test_blocks(blocks, named):
    layers = chain(*blocks)
    expected = {1 + 4 * k + i: name for k, name in enumerate(blocks) if name in named.split() for i in range(4)}
    found = repeats(layers)
    if blocks[0] == "u":  # which has no name of the kind of the others, but may be the first one
        found = {number: name for number, name in found.items() if number > 4}
    assert found == expected


def test_blocks_with_other_options_and_wires_are_none():
    scale = "power_param { scale: 2 }"
    layers = chain("b1", "b2", "b3", options=lambda name: scale if name == "b3_a" else "")
    assert set(repeats(layers).values()) == {"b1", "b2"}
    layers[7].bottom[0] = "x"
    assert repeats(layers) == {}


def test_blocks_of_resnet():
    root = drawing("resnet/train_val_50.prototxt")
    blocks = Counter(group.get("data-block") for group in found(root, "data-block"))
    assert blocks == Counter({f"res{stage}{letter}": 13 for stage, letters in ((2, "bc"), (3, "bcd"), (4, "bcdef"),
                                                                               (5, "bc")) for letter in letters})
    for group in found(root, "data-block"):
        assert group.get("data-block").removeprefix("res") in group.get("aria-label").split(",")[0]


# The style.

def test_every_family_has_a_colour_by_day_and_by_night():
    light, dark = style().split("@media screen and (prefers-color-scheme: dark)")
    assert set(families()) <= set(FAMILIES) | {"plug-ins"}
    for part in (light, dark):
        assert set(re.findall(r"\.family-([\w-]+) \{ fill: #", part)) == set(FAMILIES)
    assert light.count("{") == light.count("}") and dark.count("{") == dark.count("}")
    assert "url(" not in style() and "@import" not in style()


def test_text_can_be_read_on_every_colour():
    """Contrast of ink and faint ink by day and by night, as WCAG 2 counts it, for the inks that pictures have."""
    light, dark = style().split("@media screen and (prefers-color-scheme: dark)")
    for part, ink in ((light, INK), (light, FAINT), (dark, "#e8e8e8"), (dark, "#b0b0b0")):
        for colour in re.findall(r"\.family-[\w-]+ \{ fill: (#\w+)", part):
            one, other = sorted((luminance(colour), luminance(ink)))
            assert (other + 0.05) / (one + 0.05) > 4.5, colour


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
