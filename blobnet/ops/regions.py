"""Maxima over boxes of a map, each divided into a grid of bins."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module, cut_array, share
from blobnet.ops.indices import scatter_add


class RegionMax:
    """Maxima over the bins of boxes: x (N, C, H, W) -> (R, C, P, Q).

    Box r lies in image images[r]. Its bin (p, q) has the rows from rows[r, p, 0] to before rows[r, p, 1], and the
    columns from columns[r, q, 0] to before columns[r, q, 1], all within the map; these are NumPy arrays. `places`
    keeps where in the flat x each maximum was found, -1 if nowhere.
    """

    def __init__(self, images: np.ndarray, rows: np.ndarray, columns: np.ndarray):
        self.images, self.rows, self.columns = images.tolist(), rows.tolist(), columns.tolist()

    def forward(self, x: Array, out: Array) -> None:
        """out = the largest value of each bin; of equal ones, the first in scan order will get the gradient.

        NaN is never the largest. A bin that has no number above the lowest finite one gives that number, and an empty
        bin 0; neither passes a gradient back.
        """
        xp, lowest = array_module(x), np.finfo(x.dtype).min
        _, channels, height, width = x.shape
        self.places = xp.full(out.shape, -1, np.int64)
        out.fill(0)
        planes = xp.arange(channels)[:, None] * height * width
        x = xp.fmax(x, lowest)

        def boxes(piece: slice) -> None:
            for r in range(piece.start, piece.stop):
                image, columns = self.images[r], self.columns[r]
                top, bottom = self.rows[r][0][0], self.rows[r][-1][1]
                best = xp.empty((channels, max(bottom - top, 0), len(columns)), x.dtype)  # of each row, in each bin
                at = xp.empty(best.shape, np.int64)
                for q, (start, stop) in enumerate(columns):
                    if start < stop and top < bottom:
                        best[..., q], at[..., q] = _largest(xp, x[image, :, top:bottom, start:stop], 2)
                        at[..., q] += start
                filled = [q for q, (start, stop) in enumerate(columns) if start < stop]
                for p, (start, stop) in enumerate(self.rows[r]):
                    if start < stop and filled:
                        value, row = _largest(xp, best[:, start - top:stop - top, filled], 1)
                        column = xp.take_along_axis(at[:, start - top:stop - top, filled], row[:, None], 1)[:, 0]
                        place = planes + ((row + start) * width + column) + image * channels * height * width
                        out[r, :, p][:, filled] = value
                        self.places[r, :, p][:, filled] = xp.where(value > lowest, place, -1)

        share(boxes, cut_array(out))

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        """x_diff = the sum of the gradients of the bins, each added where its maximum was found."""
        x_diff.fill(0)
        found = self.places >= 0
        scatter_add(x_diff.reshape(-1), self.places[found], top_diff[found])


def _largest(xp, x: Array, axis: int) -> tuple[Array, Array]:
    """The largest values along an axis, and where the first of each is."""
    at = x.argmax(axis)
    return xp.take_along_axis(x, xp.expand_dims(at, axis), axis).squeeze(axis), at
