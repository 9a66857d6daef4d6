"""Planes cut into squares at regular steps, which may overlap, and squares that lie side by side put together."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array


def cut_squares(planes: Array, corner: tuple[int, int], step: int, padded: Array, squares: Array) -> None:
    """squares (C, N, P, Q, side, side) = those of planes (N, C, H, W), whose first begins at `corner`; zeros outside.

    `corner` may lie outside, too. padded: memory (C, N, rows, columns) for all that the squares cover.
    """
    begin = [max(first, 0) for first in corner]
    inside = [slice(start, max(start, min(first + length, size)))
              for start, first, length, size in zip(begin, corner, padded.shape[2:], planes.shape[2:])]
    target = [slice(some.start - first, some.stop - first) for some, first in zip(inside, corner)]
    if any(some != slice(0, length) for some, length in zip(target, padded.shape[2:])):
        padded.fill(0)  # faster than the borders alone, which are narrow
    padded[:, :, target[0], target[1]] = planes[:, :, inside[0], inside[1]].swapaxes(0, 1)
    channel, image, row, item = padded.strides
    kind = f"V{squares.shape[-1] * item}"  # a row of a square is copied as one item
    strides = channel, image, step * row, step * item, row, item
    squares.view(kind)[...] = np.ndarray((*squares.shape[:-1], 1), kind, padded, strides=strides)


def join_squares(squares: Array, padded: Array, planes: Array) -> None:
    """planes (N, C, H, W) = squares (C, N, P, Q, side, side), side by side; what reaches beyond the planes is left out.

    padded: memory (C, N, P * side, Q * side).
    """
    images, channels, height, width = planes.shape
    side = squares.shape[-1]
    kind = f"V{side * squares.itemsize}"
    rows = padded.reshape(*squares.shape[:3], side, -1).view(kind)
    rows.swapaxes(3, 4)[...] = squares.view(kind)[..., 0]
    planes[...] = padded[:, :, :height, :width].swapaxes(0, 1)
