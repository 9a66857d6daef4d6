"""A picture as SVG. No other program or library is needed."""

from __future__ import annotations

from xml.etree import ElementTree

from blobnet.log.html import clean
from blobnet.view.draw.picture import Picture
from blobnet.view.draw.shapes import BLANK, INK, WIRE, Curve, Point, Rectangle, Shape, Text

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"


def svg(picture: Picture) -> str:
    """The SVG file of `picture`."""
    root = ElementTree.Element("svg", {"width": number(picture.width), "height": number(picture.height),
                                       **frame(picture.width, picture.height)})
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": BLANK})
    for shape in picture.shapes:
        tag, attributes, text = form(shape)
        ElementTree.SubElement(root, tag, {**attributes, **_ink(shape)}).text = text
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def frame(width: float, height: float) -> dict[str, str]:
    """The attributes of an svg element of this size, its outer size left open."""
    return {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {number(width)} {number(height)}",
            "font-family": FONT}


def form(shape: Shape) -> tuple[str, dict[str, str], str | None]:
    """Tag, attributes and text of the element of a `shape`, without inks."""
    if isinstance(shape, Rectangle):
        return "rect", {"x": number(shape.x), "y": number(shape.y), "width": number(shape.width),
                        "height": number(shape.height), "rx": number(shape.radius)}, None
    if isinstance(shape, Text):
        return "text", {"class": shape.role, "x": number(shape.x), "y": number(shape.y),
                        "font-size": number(shape.size), "text-anchor": shape.anchor,
                        **({"font-weight": "bold"} if shape.bold else {})}, clean(shape.text)
    if isinstance(shape, Curve):
        return "path", {"d": path(shape)}, None
    return "polygon", {"points": " ".join(map(point, shape.corners))}, None


def path(curve: Curve) -> str:
    """`curve` in the language of paths."""
    first, second = curve.controls
    return f"M{point(curve.start)}L{point(curve.bend)}C{point(first)} {point(second)} {point(curve.end)}"


def point(position: Point) -> str:
    """A position in the language of paths and polygons."""
    return f"{number(position[0])},{number(position[1])}"


def _ink(shape: Shape) -> dict[str, str]:
    if isinstance(shape, Rectangle):
        return {"fill": shape.fill, "stroke": INK, "stroke-width": "0.8"}
    if isinstance(shape, Curve):
        return {"fill": "none", "stroke": WIRE, "stroke-width": "1.2", "stroke-linecap": "round"}
    return {"fill": shape.colour if isinstance(shape, Text) else WIRE}


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
