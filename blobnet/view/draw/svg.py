"""A picture as SVG. No other program or library is needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

from blobnet.view.draw.picture import Picture
from blobnet.view.draw.shapes import BLANK, INK, WIRE, Arrowhead, Curve, Point, Rectangle, Text

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def svg(picture: Picture) -> str:
    """The SVG file of `picture`."""
    root = ElementTree.Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "width": _number(picture.width), "height": _number(picture.height),
        "viewBox": f"0 0 {_number(picture.width)} {_number(picture.height)}", "font-family": FONT})
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": BLANK})
    for shape in picture.shapes:
        tag, attributes, text = WRITERS[type(shape)](shape)
        ElementTree.SubElement(root, tag, attributes).text = text
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


Element = tuple[str, dict[str, str], "str | None"]


def _rectangle(shape: Rectangle) -> Element:
    return "rect", {"x": _number(shape.x), "y": _number(shape.y), "width": _number(shape.width),
                    "height": _number(shape.height), "rx": _number(shape.radius), "fill": shape.fill, "stroke": INK,
                    "stroke-width": "0.8"}, None


def _text(shape: Text) -> Element:
    return "text", {"class": shape.role, "x": _number(shape.x), "y": _number(shape.y), "font-size": _number(shape.size),
                    "fill": shape.colour, "text-anchor": shape.anchor,
                    **({"font-weight": "bold"} if shape.bold else {})}, NOT_XML.sub("\ufffd", shape.text)


def _curve(shape: Curve) -> Element:
    first, second = shape.controls
    path = f"M{_point(shape.start)}L{_point(shape.bend)}C{_point(first)} {_point(second)} {_point(shape.end)}"
    return "path", {"d": path, "fill": "none", "stroke": WIRE, "stroke-width": "1.2", "stroke-linecap": "round"}, None


def _arrowhead(shape: Arrowhead) -> Element:
    return "polygon", {"points": " ".join(map(_point, shape.corners)), "fill": WIRE}, None


WRITERS: dict[type, Callable[..., Element]] = {Rectangle: _rectangle, Text: _text, Curve: _curve, Arrowhead: _arrowhead}


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"
