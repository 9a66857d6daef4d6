"""The shapes that pictures are made of, in pixels, and their inks."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]

BLANK, INK, FAINT, WIRE = "#ffffff", "#1b1b1b", "#525252", "#6b7280"


class Rectangle(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0


class Text(NamedTuple):
    """A line of text; `x` is its left end, middle or right end, `y` the base of its letters."""

    x: float
    y: float
    text: str
    size: float
    colour: str = INK
    bold: bool = False
    anchor: str = "middle"  # start, middle or end
    role: str = "fact"      # name, type, fact, blob or title


class Curve(NamedTuple):
    """From `start` straight to `bend`, then by two control points to `end`."""

    start: Point
    bend: Point
    controls: tuple[Point, Point]
    end: Point


class Arrowhead(NamedTuple):
    """A filled triangle."""

    corners: tuple[Point, Point, Point]


Stroke = Curve | Arrowhead
Shape = Rectangle | Text | Stroke
