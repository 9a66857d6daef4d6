"""A net as a drawing inside of a page, whose layers and blobs the page can find, colour and answer clicks on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.log.html import clean
from blobnet.view.draw.graph import Box, Graph, blob_label, net_graph
from blobnet.view.draw.parts import Parts, net_parts
from blobnet.view.draw.repeats import repeats
from blobnet.view.draw.rows import layer_family
from blobnet.view.draw.shapes import Curve, Point, Rectangle, Shape, Stroke, Text
from blobnet.view.draw.svg import form, frame, path, point
from blobnet.view.draw.unsplit import without_splits
from blobnet.view.layer_facts import facts

BESIDE = 4           # pixels from the way of the data to that of the gradient
ARROW = 3, 6         # half the width and the length of the arrowheads of gradients
BUTTON = {"tabindex": "0", "role": "button"}


class PageDrawing(NamedTuple):
    """An svg element as text, without XML declaration, and its size in pixels if it is not scaled."""

    svg: str
    width: float
    height: float


def page_svg(net: Net | Message, phase: int = TEST) -> PageDrawing:
    """Draw `net` from top to bottom, as its user wrote it: without Split layers. `style` is the CSS that it needs.

    `net` is a net, drawn in its phase and with the shapes of its blobs; or an upgraded NetParameter, drawn in `phase`.
    The svg element has the class "net-drawing" and in it

    * for every layer `<g class="layer" data-layer="INDEX">`, a button, where net.layers[INDEX] is the layer, and
      data-block="NAME" if it belongs to one of several equal blocks that follow each other; its rectangle has the class
      "family-weighted" or that of another family; an empty `<g data-mark="INDEX">` in it has its origin at the upper
      right corner of the layer;
    * for every blob `<g class="wire" data-blob="NAME">` with two paths, of the class "data" for the way of the data and
      "diff" for the way back of the gradient, and a title with its shape. (A blob that layers change in place which do
      not join a box has as many wires as makers.)
    * for every wire `<text class="blob" data-blob="NAME">`, a button.

    Letters of names that XML cannot hold are U+FFFD.
    """
    built = isinstance(net, Net)
    shapes = {name: blob.shape for name, blob in net.blobs.items()} if built else {}
    definition, numbers = without_splits(net.definition if built else net)
    graph = net_graph(definition, {net.phase if built else phase: shapes})
    parts = net_parts(graph, "TB")
    root = Element("svg", {**frame(parts.width, parts.height), "class": "net-drawing", "role": "group",
                           "aria-label": clean(f"net {graph.name}")})
    for wire, drawn, label in zip(graph.wires, parts.wires, parts.labels):
        _wire(root, blob_label(wire.blob, shapes.get(wire.blob)), wire.blob, drawn, _side(label))
    blocks = repeats(definition.layer)
    for i, box in enumerate(graph.boxes):
        _box(root, box, parts.boxes[i], numbers, blocks)
        _labels(root, graph, parts, i)
    return PageDrawing(tostring(root, "unicode"), parts.width, parts.height)


def style() -> str:
    """The CSS of drawings, light and dark. A page may set --ink, --faint, --wire, --back and --blank, and for each wire
    --data-width and --diff-width."""
    return Path(__file__).with_suffix(".css").read_text("utf-8")


def _box(root: Element, box: Box, rows: list[list[Shape]], numbers: list[int], blocks: Mapping[int, str]) -> None:
    for layer, number, shapes in zip(box.layers, box.numbers, rows):
        index = str(numbers[number])
        group = SubElement(root, "g", {"class": "layer", "data-layer": index, **BUTTON,
                                       "aria-label": clean(", ".join([layer.name, layer.type, *facts(layer)]))})
        if number in blocks:
            group.set("data-block", clean(blocks[number]))
        for shape in shapes:
            element = _element(group, shape)
            if isinstance(shape, Rectangle):
                element.set("class", f"family-{layer_family(layer) or 'unknown'}")
                corner = shape.x + shape.width, shape.y
        SubElement(group, "g", {"data-mark": index, "transform": f"translate({point(corner)})"})


def _labels(root: Element, graph: Graph, parts: Parts, number: int) -> None:
    """The labels of the wires that box `number` makes, and what the box shows if it is the end of a wire."""
    box = graph.boxes[number]
    for wire, label in zip(graph.wires, parts.labels):
        if wire.source == number and label:
            _element(root, label, {"data-blob": clean(wire.blob), **BUTTON})
        if not box.layers and number in (wire.source, *wire.targets):
            rectangle, text = parts.boxes[number][0]
            _element(root, rectangle).set("class", "end")
            _element(root, text, {"data-blob": clean(wire.blob), **BUTTON})


def _element(parent: Element, shape: Shape, more: Mapping[str, str] | None = None) -> Element:
    tag, attributes, text = form(shape)
    element = SubElement(parent, tag, {**attributes, **(more or {})})
    element.text = text
    return element


# Wires.

def _wire(root: Element, title: str, blob: str, strokes: list[Stroke], side: float) -> None:
    group = SubElement(root, "g", {"class": "wire", "data-blob": clean(blob)})
    SubElement(group, "path", {"class": "data", "d": _data(strokes)})
    SubElement(group, "path", {"class": "diff", "d": _diff(strokes, side)})
    SubElement(group, "title").text = clean(title)


def _data(strokes: list[Stroke]) -> str:
    """The way down, with arrowheads where it ends."""
    return "".join(path(stroke) if isinstance(stroke, Curve) else "L{0}M{1}L{0}L{2}".format(*map(point, stroke.corners))
                   for stroke in strokes)


def _diff(strokes: list[Stroke], side: float) -> str:
    """The way back, `side` pixels to the right, with an arrowhead where it enters the box above."""
    text, tip = "", None
    for stroke in strokes:
        if isinstance(stroke, Curve):
            moved = _beside(stroke, side)
            text, tip = text + path(moved), tip or moved.start
        else:
            text += f"L{point(_moved(stroke.corners[0], side))}"
    wing, length = ARROW
    return f"{text}M{point(_moved(tip, -wing, length))}L{point(tip)}L{point(_moved(tip, wing, length))}"


def _beside(curve: Curve, side: float) -> Curve:
    """`curve` moved to the right; where it runs level, it is moved up or down."""
    slope = max(-1, min(1, (curve.end[0] - curve.bend[0]) / 20))
    first, second = (_moved(control, side, -side * slope) for control in curve.controls)
    return Curve(_moved(curve.start, side), _moved(curve.bend, side), (first, second), _moved(curve.end, side))


def _moved(position: Point, right: float, down: float = 0) -> Point:
    return position[0] + right, position[1] + down


def _side(label: Text | None) -> float:
    """Where the way of the gradient is: on the side of the wire that has no label."""
    return BESIDE if label and label.anchor == "end" else -BESIDE
