"""Exact search among hash codes by Hamming distance, the number of bits in which two codes differ."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from blobnet.backend import parallel
from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import Codes, to_words

_BLOCK = 1 << 17  # distances held at once by a worker
_TILE = 1 << 14   # codes compared at once: queries x tile x 8 bytes stay in the cache


class Neighbours(NamedTuple):
    """The items near each query, nearest first, equal distances in index order.

    The items of query q are indices[offsets[q]:offsets[q + 1]], at `distances` of the same places.
    """

    offsets: np.ndarray    # (Q + 1,) int64
    indices: np.ndarray    # (M,) int64, rows of the base
    distances: np.ndarray  # (M,) int64, bits


@functools.cache
def _ones_of_halves() -> np.ndarray:
    """How many ones each 16-bit number has."""
    numbers = np.arange(1 << 16, dtype=np.uint16)
    return np.unpackbits(numbers.view(np.uint8).reshape(-1, 2), axis=1).sum(axis=1, dtype=np.uint8)


def _count_ones(words: np.ndarray) -> np.ndarray:
    """The ones in every word, uint8: numpy.bitwise_count for NumPy 1."""
    if words.itemsize == 1:
        return _ones_of_halves()[words]
    return _ones_of_halves()[words.view(np.uint16).reshape(*words.shape, -1)].sum(axis=-1, dtype=np.uint8)


count_ones = getattr(np, "bitwise_count", _count_ones)


class HammingIndex:
    """Search in the base `codes`. Exact: every query is compared with every code.

    >>> index = HammingIndex(Codes.from_bits(np.array([[0, 0, 0], [1, 1, 1], [0, 0, 1]])))
    >>> found = index.search(Codes.from_bits(np.array([[0, 1, 1]])), top=2)
    >>> found.indices.tolist(), found.distances.tolist()
    ([1, 2], [1, 1])
    """

    def __init__(self, codes: Codes):
        if not len(codes):
            raise DataError("HammingIndex", "no codes to search in")
        self.codes = codes
        self._words = to_words(codes.packed)

    def blocks(self, queries: Codes, first: int, last: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Walk over the queries first … last - 1 in blocks: start, stop, distances of the queries start … stop - 1.

        distances (stop - start, N) uint8, or uint16 above 255 bits, is a buffer that the next block overwrites.
        ShapeError when the queries' codes have another length.
        """
        bits, count = self.codes.bits, len(self.codes)
        if queries.bits != bits:
            raise ShapeError("HammingIndex", expected=f"queries of {bits} bits, as the base", got=queries.bits)
        words = to_words(queries.packed[first:last])
        rows = max(1, min(_BLOCK // count, last - first))
        distances = np.empty((rows, count), np.uint8 if bits < 256 else np.uint16)
        scratch = np.empty((rows, min(count, _TILE)), words.dtype)
        for start in range(first, last, rows):
            stop = min(start + rows, last)
            block = distances[:stop - start]
            self._compare(words[:, start - first:stop - first], block, scratch[:stop - start])
            yield start, stop, block

    def _compare(self, queries: np.ndarray, distances: np.ndarray, scratch: np.ndarray) -> None:
        """Distances (b, N) of the query words (W, b) to the base; scratch (b, tile) words."""
        for start in range(0, distances.shape[1], _TILE):
            tile = distances[:, start:start + _TILE]
            differing = scratch[:, :tile.shape[1]]
            for i, (query, base) in enumerate(zip(queries, self._words)):
                np.bitwise_xor(query[:, None], base[start:start + _TILE], out=differing)
                if i == 0:
                    tile[...] = count_ones(differing)
                else:
                    tile += count_ones(differing)

    def search(self, queries: Codes, top: int | None = None, radius: int | None = None) -> Neighbours:
        """The `top` nearest items of each query, those within `radius` bits of it, or (both given) those in both.

        The histogram of a query's distances says how far its top items reach, so only they are sorted.
        DataError unless 1 <= top <= N and radius >= 0.
        """
        where, bits = "HammingIndex.search", self.codes.bits
        if top is None and radius is None:
            raise DataError(where, expected="top, radius or both", got="neither")
        if top is not None and not 1 <= top <= len(self.codes):
            raise DataError(where, expected=f"top from 1 to {len(self.codes)}, the size of the base", got=top)
        if radius is not None and radius < 0:
            raise DataError(where, expected="a radius of 0 bits or more", got=radius)
        widest = bits if radius is None else min(radius, bits)

        def nearest(line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            reach = widest
            if top is not None:
                reach = min(reach, int(np.searchsorted(np.cumsum(np.bincount(line)), top)))
            near = np.flatnonzero(line <= reach)
            order = np.argsort(line[near], kind="stable")[:top]  # on bytes NumPy's stable sort is a counting sort
            return near[order], line[near[order]]

        def part(first: int, last: int) -> list[tuple[np.ndarray, np.ndarray]]:
            return [nearest(line) for _, _, distances in self.blocks(queries, first, last) for line in distances]

        found = [pair for pairs in parallel(part, len(queries)) for pair in pairs]
        offsets = np.cumsum([0, *(len(indices) for indices, _ in found)])
        none = np.empty(0, np.int64)
        return Neighbours(offsets, np.concatenate([none, *(indices for indices, _ in found)]),
                          np.concatenate([none, *(distances for _, distances in found)]))
