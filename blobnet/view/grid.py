"""Retrieval grid: each query beside its nearest items, framed by whether they are relevant."""

from __future__ import annotations

import os

import numpy as np

from blobnet.errors import DataError, ShapeError
from blobnet.view.figure import RIGHT, WRONG, new_figure, save

_TOP = 10    # results drawn per query
_GAP = 0.16  # between images, in image sides


def plot_retrieval(queries: np.ndarray, results: np.ndarray, hits: np.ndarray, path: str | os.PathLike) -> None:
    """Draw each query image and its first ten results into the file `path`: solid green frame relevant, dashed red not.

    queries (Q, …) and results (Q, T, …) are uint8 images of one layout: (H, W) gray, or (C, H, W) or (H, W, C) with 1
    or 3 channels in RGB order (an image read as both is taken as (C, H, W)); hits (Q, T) says which are relevant.
    Raises ShapeError and DataError.
    """
    queries, results, hits = np.asarray(queries), np.asarray(results)[:, :_TOP], np.asarray(hits, bool)[:, :_TOP]
    if results.shape != hits.shape + queries.shape[1:] or len(hits) != len(queries) or not hits.size:
        raise ShapeError("plot_retrieval", expected="queries (Q, …), results (Q, T, …), hits (Q, T) of like images",
                         got=f"{queries.shape}, {results.shape} and {hits.shape}")
    rows, columns = hits.shape
    figure = new_figure(0.8 * (columns + 1.4) + 0.5, 0.8 * rows + 0.7)
    axes = figure.add_subplot()
    side = 1 + _GAP
    for row in range(rows):
        axes.imshow(_picture(queries[row]), extent=(0, 1, row * side + 1, row * side))
        for rank in range(columns):
            left = 0.3 + (rank + 1) * side  # a little apart from the query
            axes.imshow(_picture(results[row, rank]), extent=(left, left + 1, row * side + 1, row * side))
            axes.add_patch(_frame(left, row * side, hits[row, rank]))
    axes.set(xlim=(-_GAP, 0.3 + (columns + 1) * side), ylim=(rows * side, -_GAP), aspect="equal")
    axes.set_xticks([0.5, *(0.8 + (rank + 1) * side for rank in range(columns))], ["query", *range(1, columns + 1)])
    axes.set_yticks([row * side + 0.5 for row in range(rows)], [f"{line.sum()} of {columns}" for line in hits])
    axes.set_xlabel("rank by distance; frames: solid green relevant, dashed red not", fontsize=8)
    axes.set_ylabel("relevant results", fontsize=8)
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    save(figure, path)


def _picture(image: np.ndarray) -> np.ndarray:
    """One uint8 image as (H, W, 3)."""
    if image.dtype != np.uint8:
        raise DataError("plot_retrieval", expected="uint8 images", got=image.dtype, hint="scale to 0 … 255 and cast")
    if image.ndim == 2:
        image = image[None]
    if image.ndim == 3 and image.shape[0] in (1, 3):
        image = image.transpose(1, 2, 0)
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ShapeError("plot_retrieval", expected="images (H, W), (C, H, W) or (H, W, C), C = 1 or 3",
                         got=image.shape)
    return np.broadcast_to(image, (*image.shape[:2], 3))


def _frame(left: float, top: float, relevant: bool):
    from matplotlib.patches import Rectangle

    return Rectangle((left - 0.03, top - 0.03), 1.06, 1.06, fill=False, linewidth=2,
                     edgecolor=RIGHT if relevant else WRONG, linestyle="-" if relevant else (0, (2, 1)))
