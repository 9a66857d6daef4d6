"""A picture as PNG, PDF, or any other format that Matplotlib writes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable

from blobnet.view.draw.picture import Picture
from blobnet.view.draw.shapes import INK, WIRE, Arrowhead, Curve, Rectangle, Text
from blobnet.view.figure import new_figure, save

INCH = 100             # pixels of a picture in an inch
SHARP = 200            # dots in an inch, if the picture is not too large for that
MOST = 32_000, 40e6    # dots on a side, dots in all
ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def write_raster(picture: Picture, path: str | os.PathLike, others: Iterable[str] = ()) -> float:
    """Write `picture` in the format of the suffix. Returns the dots for each pixel: 2, or fewer for a large picture.

    Raises BlobnetError if Matplotlib is missing or does not know the suffix; the error names `others` too, the suffixes
    that the caller knows.
    """
    inches = picture.width / INCH, picture.height / INCH
    dots = min(SHARP, MOST[0] / max(inches), (MOST[1] / (inches[0] * inches[1])) ** 0.5)
    figure = new_figure(*inches, dpi=dots, layout=None)
    from matplotlib.collections import PathCollection
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.path import Path

    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.set_axis_off()
    by_type: dict[type, list] = {kind: [shape for shape in picture.shapes if type(shape) is kind]
               for kind in (Curve, Arrowhead, Rectangle, Text)}
    codes = [Path.MOVETO, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    axes.add_collection(PathCollection(
        [Path([line.start, line.bend, *line.controls, line.end], codes) for line in by_type[Curve]],
        facecolors="none", edgecolors=WIRE, linewidths=_points(1.2)), autolim=False)
    axes.add_collection(PathCollection(
        [Path([*head.corners, head.corners[0]], closed=True) for head in by_type[Arrowhead]],
        facecolors=WIRE, linewidths=0), autolim=False)
    boxes = by_type[Rectangle]
    axes.add_collection(PathCollection(
        [FancyBboxPatch((box.x, box.y), box.width, box.height, boxstyle=_style(box)).get_path() for box in boxes],
        facecolors=[box.fill for box in boxes], edgecolors=INK, linewidths=_points(0.8)), autolim=False)
    for text in by_type[Text]:
        axes.text(text.x, text.y, text.text, fontsize=_points(text.size), color=text.colour, parse_math=False,
                  fontweight="bold" if text.bold else "normal", ha=ANCHORS[text.anchor], va="baseline")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # it becomes a box
        save(figure, path, others)
    return dots / INCH


def _style(box: Rectangle) -> str:
    return f"round,pad=0,rounding_size={box.radius}" if box.radius else "square,pad=0"


def _points(pixels: float) -> float:
    """Points, of which 72 make an inch."""
    return pixels * 72 / INCH
