"""A net as a drawing inside of a page, whose layers and blobs the page can find, colour and answer clicks on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.log.html import clean
from blobnet.view.draw.colours import css
from blobnet.view.draw.graph import Block, Box, Graph, blob_label, net_graph
from blobnet.view.draw.parts import Frame, Parts, net_parts
from blobnet.view.draw.repeats import repeats
from blobnet.view.draw.rows import layer_family
from blobnet.view.draw.shapes import Curve, Point, Rectangle, Shape, Stroke, Text
from blobnet.view.draw.svg import form, frame, number, path, point
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


class Look(NamedTuple):
    """What a drawing in a page shows beside its shapes.

    numbers: what the page calls the layers of the net by; shapes: of the blobs; blocks: for the numbers of layers that
    belong to one of several equal blocks, its name; gradients: whether their ways are drawn.
    """

    numbers: Sequence[int]
    shapes: Mapping[str, tuple[int, ...]]
    blocks: Mapping[int, str]
    gradients: bool = True


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
    return graph_svg(graph, net_parts(graph, "TB"), Look(numbers, shapes, repeats(definition.layer)))


def graph_svg(graph: Graph, parts: Parts, look: Look) -> PageDrawing:
    """Draw `graph` as page_svg does, by its `parts`.

    A block of equal pieces is `<g class="block">` and in it `<g class="once">`, and, if it can be unfolded, the hidden
    `<g class="whole">`; the title in both is a button, `<g class="repeat">`. Then data-at of blocks, layers, wires and
    labels says where the box begins that they belong to, along the flow; data-from is the number of a block, which its
    wires and labels have too. Unfolded the block is data-more longer, and what lies behind data-end, where its rank
    ends, moves on by data-growth.
    """
    root = Element("svg", {**frame(parts.width, parts.height), "class": "net-drawing", "role": "group",
                           "aria-label": clean(f"net {graph.name}")})
    _draw(root, graph, parts, look)
    return PageDrawing(tostring(root, "unicode"), parts.width, parts.height)


def style() -> str:
    """The CSS of drawings, light and dark. A page may set --ink, --faint, --wire, --back and --blank, and for each wire
    --data-width and --diff-width."""
    return Path(__file__).with_suffix(".css").read_text("utf-8") + css()


def _draw(parent: Element, graph: Graph, parts: Parts, look: Look) -> None:
    starts = [_start(parts, i) for i in range(len(graph.boxes))]
    for wire, drawn, label in zip(graph.wires, parts.wires, parts.labels):
        title = blob_label(wire.blob, look.shapes.get(wire.blob))
        _wire(parent, title, wire.blob, drawn, _side(label) if look.gradients else None, starts[wire.source])
    for i, (box, start) in enumerate(zip(graph.boxes, starts)):
        if box.block:
            _block(parent, box.block, parts.frames[i], look, start)
        elif box.layers:
            _box(parent, box, parts.boxes[i], look, start)
        elif parts.boxes[i]:
            blob = next(wire.blob for wire in graph.wires if i in (wire.source, *wire.targets))
            _end(parent, parts.boxes[i][0], blob, start)
        for wire, label in zip(graph.wires, parts.labels):
            if wire.source == i and label:
                _element(parent, label, {"data-blob": clean(wire.blob), **BUTTON, **start})


def _start(parts: Parts, box: int) -> dict[str, str]:
    """Where a box begins, and whether it is a block, if a block may be unfolded, for what moves then."""
    if not any(frame.whole for frame in parts.frames.values()):
        return {}
    begin = {"data-at": number(parts.begins[box])}
    return {**begin, "data-from": str(box)} if box in parts.frames else begin


def _block(parent: Element, block: Block, drawn: Frame, look: Look, start: Mapping[str, str]) -> None:
    group = SubElement(parent, "g", {"class": "block", **start})
    if drawn.whole:
        group.attrib.update({"data-end": number(drawn.end), "data-more": number(drawn.more),
                             "data-growth": number(drawn.growth)})
    for kind, piece, inside in (("once", block.once, drawn.once), ("whole", block.whole, drawn.whole)):
        if inside:
            state = SubElement(group, "g", {"class": kind, **({"display": "none"} if kind == "whole" else {})})
            _element(state, inside.frame).set("class", "frame")
            _draw(state, piece, inside.parts, look)


def _box(parent: Element, box: Box, rows: list[list[Shape]], look: Look, start: Mapping[str, str]) -> None:
    for layer, index, shapes in zip(box.layers, box.numbers, rows):
        name = str(look.numbers[index])
        group = SubElement(parent, "g", {"class": "layer", "data-layer": name, **BUTTON, **start,
                                         "aria-label": clean(", ".join([layer.name, layer.type, *facts(layer)]))})
        if index in look.blocks:
            group.set("data-block", clean(look.blocks[index]))
        for shape in shapes:
            element = _element(group, shape)
            if isinstance(shape, Rectangle):
                element.set("class", f"family-{layer_family(layer) or 'unknown'}")
                corner = shape.x + shape.width, shape.y
        SubElement(group, "g", {"data-mark": name, "transform": f"translate({point(corner)})"})


def _end(parent: Element, shapes: list[Shape], blob: str, start: Mapping[str, str]) -> None:
    """The end of a wire, or the title of a block."""
    rectangle, text = shapes
    if isinstance(text, Text) and text.role == "repeat":
        parent = SubElement(parent, "g", {"class": "repeat", **BUTTON, "aria-label": clean(text.text)})
        more = {}
    else:
        more = {"data-blob": clean(blob), **BUTTON, **start}
    _element(parent, rectangle, start).set("class", "end")
    _element(parent, text, more)


def _element(parent: Element, shape: Shape, more: Mapping[str, str] | None = None) -> Element:
    tag, attributes, text = form(shape)
    element = SubElement(parent, tag, {**attributes, **(more or {})})
    element.text = text
    return element


# Wires.

def _wire(parent: Element, title: str, blob: str, strokes: list[Stroke], side: float | None,
          start: Mapping[str, str]) -> None:
    """A wire; `side` is where the way of its gradient lies, None if it is not drawn."""
    group = SubElement(parent, "g", {"class": "wire", "data-blob": clean(blob), **start})
    SubElement(group, "path", {"class": "data", "d": _data(strokes)})
    if side is not None:
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
