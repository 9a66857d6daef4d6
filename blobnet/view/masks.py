"""Classes of pixels in colours: images beside what is there, and what a net says."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from blobnet.errors import ShapeError
from blobnet.view.figure import PALETTE, new_figure, save


def plot_masks(images: np.ndarray, truth: np.ndarray, found: np.ndarray, classes: Sequence[str],
               path: str | os.PathLike) -> None:
    """Draw a column an image into the file `path`: the image, its true classes, those found.

    images (N, H, W, 3) of uint8, red first; truth and found (N, H, W), labels in 0 ... C - 1, other numbers are left
    blank; `classes` are the C names, of which the first is black. Raises ShapeError.
    """
    if images.shape[3:] != (3,) or not images.size or not truth.shape == found.shape == images.shape[:3]:
        raise ShapeError("plot_masks", expected="images (N, H, W, 3), truth and found (N, H, W)",
                         got=f"{images.shape}, {truth.shape} and {found.shape}")
    figure = new_figure(1.4 * len(images) + 0.4, 3 * 1.4 + 0.6)
    from matplotlib.colors import to_rgb  # here: new_figure says what to do where Matplotlib is missing
    from matplotlib.patches import Patch

    names = [PALETTE[-1], *(PALETTE[i % (len(PALETTE) - 1)] for i in range(len(classes) - 1))]
    colours = np.array([*map(to_rgb, names), (1, 1, 1)])
    grid = figure.subplots(3, len(images), squeeze=False)
    for row, (name, shown) in enumerate((("image", images), ("true", truth), ("found", found))):
        for axes, picture in zip(grid[row], shown):
            if row:
                known = (picture >= 0) & (picture < len(classes))
                picture = colours[np.where(known, picture, len(classes)).astype(int)]
            axes.imshow(picture, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        grid[row][0].set_ylabel(name, fontsize=9)
    figure.legend([Patch(color=colour) for colour in names], classes, loc="outside lower center", ncols=len(classes),
                  frameon=False, fontsize=8)
    save(figure, path)
