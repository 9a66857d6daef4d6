"""Nearest: the few nearest of many items, found by counting while tiles of whole-numbered distances go by."""

from __future__ import annotations

import math

import numpy as np


class Nearest:
    """Of each of b queries the first `top` of the items nearer than `bound`, by distance, equal ones in index order.

    Distances are 0 … levels - 1, so the counts of those found give the distance of the item at rank `top`. As items
    come in index order, a later one must be nearer than that: one comparison rules out all but a few, which are kept
    and sorted in the end.
    """

    def __init__(self, queries: int, levels: int, top: int, bound: int):
        self._levels, self._top = levels, top
        self._bounds = np.full((queries, 1), bound, np.min_scalar_type(levels))
        self._counts = np.zeros((queries, levels), np.int64)
        self._found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # items, distances, where queries begin

    def look(self, distances: np.ndarray, start: int) -> None:
        """Keep what may be among the nearest of the next n items, of numbers `start` …, by their distances (b, n)."""
        queries, width = distances.shape
        keys = np.arange(0, self._counts.size, self._levels)  # query * levels + distance
        if not self._found:  # else all of the first tile would be kept; to count so many costs about what it spares
            head = distances[:, :4 * math.isqrt(self._top * width)]
            self._lower_bounds(self._reach(self._histograms(keys[:, None] + head)) + 1)
        items = np.flatnonzero(distances < self._bounds)
        near = distances.ravel()[items]
        edges = np.searchsorted(items, np.arange(0, queries * width + 1, width))
        found = np.diff(edges)
        items += np.repeat(start - np.arange(0, queries * width, width), found)
        self._found.append((items, near, edges))
        self._counts += self._histograms(np.repeat(keys, found) + near)
        self._lower_bounds(self._reach(self._counts))

    def ranking(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The items of each query and their distances, nearest first."""
        ranked = []
        for query in range(len(self._counts)):
            items, near = (np.concatenate([found[i][found[2][query]:found[2][query + 1]] for found in self._found])
                           for i in range(2))
            order = np.argsort(near, kind="stable")[:self._top]
            ranked.append((items[order], near[order]))
        return ranked

    def _histograms(self, keys: np.ndarray) -> np.ndarray:
        return np.bincount(keys.ravel(), minlength=self._counts.size).reshape(self._counts.shape)

    def _reach(self, counts: np.ndarray) -> np.ndarray:
        """(b, 1) the distance of the item at rank `top`, or `levels` where there are fewer."""
        return np.count_nonzero(np.cumsum(counts, axis=1) < self._top, axis=1, keepdims=True)

    def _lower_bounds(self, bounds: np.ndarray) -> None:
        np.minimum(self._bounds, bounds, out=self._bounds, casting="unsafe")
