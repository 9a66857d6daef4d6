"""Boxes on images: what a detector found, beside what is there."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from blobnet.errors import ShapeError
from blobnet.view.figure import PALETTE, new_figure, save

_COLUMNS = 4


def plot_boxes(images: np.ndarray, truth: np.ndarray, found: np.ndarray, classes: Sequence[str],
               path: str | os.PathLike) -> None:
    """Draw the images in rows of four into the file `path`: true boxes dotted and white, those found in colours.

    images (N, H, W, 3) of uint8, red first; truth (G, 6), rows [image, label, x1, y1, x2, y2]; found (D, 7), rows
    [image, label, score, x1, y1, x2, y2]; corners are parts of width and height; `classes` are names of the labels from
    1 on. Rows of other images are left out. Raises ShapeError.
    """
    if images.ndim != 4 or images.shape[3:] != (3,) or truth.shape[1:] != (6,) or found.shape[1:] != (7,):
        raise ShapeError("plot_boxes", expected="images (N, H, W, 3), truth (G, 6), found (D, 7)",
                         got=f"{images.shape}, {truth.shape} and {found.shape}")
    rows = -(-len(images) // _COLUMNS)
    figure = new_figure(2.2 * _COLUMNS, 2.2 * rows + 0.4)
    for n, axes in enumerate(figure.subplots(rows, _COLUMNS, squeeze=False).flat):
        axes.set_axis_off()
        if n < len(images):
            axes.imshow(images[n])
            size = np.tile(images.shape[2:0:-1], 2)
            for box in truth[truth[:, 0] == n]:
                axes.add_patch(_frame(box[2:] * size, "white", ":"))
            for box in found[found[:, 0] == n]:
                colour = PALETTE[1:][int(box[1] - 1) % (len(PALETTE) - 1)]
                axes.add_patch(_frame(box[3:] * size, colour, "-"))
                axes.text(box[3] * size[0], box[4] * size[1] - 1, f"{_name(classes, box[1])} {box[2]:.2f}", fontsize=6,
                          color="black", va="bottom",
                          bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8}).set_in_layout(False)
    figure.supxlabel("found: lines, with class and score; true boxes: dotted white", fontsize=8)
    save(figure, path)


def _name(classes: Sequence[str], label: float) -> str:
    return classes[int(label) - 1] if 0 < label <= len(classes) else f"class {label:g}"


def _frame(corners: np.ndarray, colour: str, line: str):
    from matplotlib.patches import Rectangle

    left, top, right, bottom = corners - 0.5  # a pixel's number is its middle
    return Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=1.6, edgecolor=colour,
                     linestyle=line)
