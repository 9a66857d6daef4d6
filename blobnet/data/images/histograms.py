"""Contrast of a uint8 plane (H, W) by its histogram, as OpenCV's equalizeHist and CLAHE."""

from __future__ import annotations

import numpy as np

TILES = 8  # along each axis
CLIP = 4   # no value of a tile counts as more than so many times the mean of the counts


def equalize(plane: np.ndarray) -> np.ndarray:
    """Values replaced so that the darkest becomes 0, the brightest 255, and all are about equally frequent."""
    counts = np.bincount(plane.ravel(), minlength=256)
    first = int(counts.argmax() if (counts == plane.size).any() else (counts > 0).argmax())
    rest = plane.size - counts[first]
    if not rest:
        return plane
    sums = np.cumsum(counts) - counts[:first + 1].sum()
    return _scaled(sums.clip(0), rest).astype(np.uint8)[plane]


def equalize_tiles(plane: np.ndarray) -> np.ndarray:
    """The same for each of 8 x 8 tiles, with limited contrast; between the tiles' centres it is interpolated.

    Where a side is no multiple of 8, both are made larger, mirrored beyond the last row and column.
    """
    height, width = plane.shape
    whole = plane
    if height % TILES or width % TILES:
        whole = np.pad(plane, ((0, TILES - height % TILES), (0, TILES - width % TILES)), "reflect")
    rows, columns = whole.shape[0] // TILES, whole.shape[1] // TILES
    tiles = whole.reshape(TILES, rows, TILES, columns).transpose(0, 2, 1, 3).reshape(TILES * TILES, -1)
    tables = np.stack([_table(tile) for tile in tiles]).reshape(TILES, TILES, 256)
    top, bottom, down = _between(height, rows)
    left, right, across = _between(width, columns)
    down, one = down[:, None], np.float32(1)
    above, below = (tables[at[:, None], left, plane] * (one - across) + tables[at[:, None], right, plane] * across
                    for at in (top, bottom))
    return np.rint(above * (one - down) + below * down).clip(0, 255).astype(np.uint8)


def _table(tile: np.ndarray) -> np.ndarray:
    """What each value of the tile becomes, (256,) float32."""
    counts = np.bincount(tile, minlength=256)
    limit = max(CLIP * tile.size // 256, 1)
    excess = int((counts - limit).clip(0).sum())
    counts = np.minimum(counts, limit) + excess // 256
    left = excess % 256
    if left:
        counts[:left * max(256 // left, 1):max(256 // left, 1)] += 1
    return _scaled(np.cumsum(counts), tile.size)


def _scaled(sums: np.ndarray, total: int) -> np.ndarray:
    """255 where a sum is the `total`; rounded, float32."""
    return np.rint(sums.astype(np.float32) * (np.float32(255) / np.float32(total))).clip(0, 255)


def _between(count: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of `count` pixels the tiles before and behind it, and how far it is from the centre of the first."""
    places = np.arange(count, dtype=np.float32) * np.float32(1 / np.float32(size)) - np.float32(0.5)
    before = np.floor(places)
    return before.clip(0).astype(int), (before + 1).clip(max=TILES - 1).astype(int), places - before
