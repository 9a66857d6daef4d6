"""Exact search by comparing every query with every item: what all metrics share, and the Hamming distance."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from blobnet.backend import cut, share
from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.nearest import Nearest
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import to_words

_BLOCK = 1 << 17  # distances held at once by a worker
_QUERIES = 8      # no fewer for a worker
_TILE = 1 << 19   # pairs of codes compared at once: they stay in the cache, and threads seldom wait for each other
_FEW = 16         # one item in so many is found faster by counting than by sorting, more are not


class Index:
    """Search in the base `codes`, which may be mapped into memory: a chunk of it after the other is looked at.

    A metric is a class with `asked` and `part`, which prepare some queries and a chunk of the base, and `compare`,
    which writes the distances between them.
    """

    metric: str
    block = _BLOCK

    def __init__(self, codes: Codes):
        if not len(codes):
            raise DataError(self.where, "no codes to search in")
        self.codes = codes
        self._whole = self.part(0, len(codes)) if len(codes) <= self.chunk else None

    @property
    def levels(self) -> int | None:
        """Distances are 0 … levels - 1; None for real numbers."""
        return None

    @property
    def chunk(self) -> int:
        """Items whose parts are made at once."""
        return 1 << 20

    @property
    def where(self) -> str:
        """What errors call the index: the name of its class."""
        return type(self).__name__

    def asked(self, queries: Codes, first: int, last: int):
        """What `compare` takes of the queries first … last - 1, a row each; ShapeError if they do not fit."""
        raise NotImplementedError

    def part(self, start: int, stop: int):
        """What `compare` takes of the items start … stop - 1."""
        raise NotImplementedError

    def compare(self, asked, part, out: np.ndarray) -> None:
        """Write the distances (b, n)."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype:
        """Of the distances."""
        return np.dtype(np.float32 if self.levels is None else np.min_scalar_type(self.levels - 1))

    def blocks(self, queries: Codes, first: int, last: int) -> Iterator[tuple[int, int, np.ndarray]]:
        """Walk over the queries first … last - 1 in blocks: start, stop, distances of the queries start … stop - 1.

        distances (stop - start, N), of `dtype`, is a buffer that the next block overwrites.
        """
        return self._walk(queries, first, last, self.part(0, len(self.codes)) if self._whole is None else self._whole,
                          len(self.codes))

    def _walk(self, queries: Codes, first: int, last: int, part,
              count: int) -> Iterator[tuple[int, int, np.ndarray]]:
        asked = self.asked(queries, first, last)
        rows = max(1, min(self.block // count, last - first))
        distances = np.empty((rows, count), self.dtype)
        for start in range(first, last, rows):
            stop = min(start + rows, last)
            self.compare(asked[start - first:stop - first], part, distances[:stop - start])
            yield start, stop, distances[:stop - start]

    def search(self, queries: Codes, top: int | None = None, radius: float | None = None) -> Neighbours:
        """The `top` nearest items of each query, those at most `radius` away, or (both given) those in both.

        DataError unless 1 <= top <= N and, for distances that are never below 0, radius >= 0.
        """
        check_limits(self.where, len(self.codes), top, radius, self.metric)
        found = self._search(queries, top, radius)
        none, no_distance = np.empty(0, np.int64), np.empty(0, np.int64 if self.levels else np.float32)
        return Neighbours(np.cumsum([0, *(len(indices) for indices, _ in found)]),
                          np.concatenate([none, *(indices for indices, _ in found)]),
                          np.concatenate([no_distance, *(distances for _, distances in found)]))

    def _parts(self) -> Iterator[tuple[int, int, Any]]:
        """The base chunk by chunk: start, stop, part."""
        for start in range(0, len(self.codes), self.chunk):
            stop = min(start + self.chunk, len(self.codes))
            yield start, stop, self.part(start, stop) if self._whole is None else self._whole

    def _search(self, queries: Codes, top: int | None, radius: float | None) -> list[tuple[np.ndarray, np.ndarray]]:
        """The items near each query and their distances, in the order of Neighbours."""
        found = [(np.empty(0, np.int64), np.empty(0, self.dtype))] * len(queries)
        for start, stop, part in self._parts():
            near = functools.partial(self._nearest_of, queries, part, start, stop, top, radius)
            more = list(itertools.chain(*share(near, cut(len(queries), len(queries), _QUERIES))))
            found = [_merge(*old, *new, top) for old, new in zip(found, more)] if start else more
        return found

    def _nearest_of(self, queries: Codes, part, start: int, stop: int, top: int | None, radius: float | None,
                    piece: slice) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for _, _, distances in self._walk(queries, piece.start, piece.stop, part, stop - start):
            for line in distances:
                near = np.flatnonzero(line <= self._reach(line, top, radius))
                order = stable_order(line[near][None])[0, :top]
                found.append((near[order] + start, line[near[order]]))
        return found

    def _reach(self, line: np.ndarray, top: int | None, radius: float | None) -> float:
        """How far away the last item is that is wanted: only those up to there are sorted."""
        if top is None or top >= len(line):
            farthest = line.max()
        elif self.levels:
            farthest = np.searchsorted(np.cumsum(np.bincount(line)), top)
        else:
            farthest = np.partition(line, top - 1)[top - 1]
        return farthest if radius is None else min(farthest, radius)


def check_limits(where: str, count: int, top: int | None, radius: float | None, metric: str) -> None:
    """DataError unless `top` and `radius` can limit a search among `count` items."""
    if top is None and radius is None:
        raise DataError(where, expected="top, radius or both", got="neither")
    if top is not None and not 1 <= top <= count:
        raise DataError(where, expected=f"top from 1 to {count}, the size of the base", got=top)
    if radius is not None and math.isnan(radius):
        raise DataError(where, expected="a number as radius", got=radius)
    if radius is not None and radius < 0 and metric in ("hamming", "l2", "cosine"):
        raise DataError(where, expected="a radius of 0" + " bits" * (metric == "hamming") + " or more", got=radius)


def _merge(indices: np.ndarray, distances: np.ndarray, more: np.ndarray, farther: np.ndarray,
           top: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Two rankings in one; the items of the first come before those of the second in index order."""
    indices, distances = np.concatenate([indices, more]), np.concatenate([distances, farther])
    order = stable_order(distances[None])[0, :top]
    return indices[order], distances[order]


def stable_order(distances: np.ndarray) -> np.ndarray:
    """(b, N) int64: the places of each row's distances (b, N), ascending, equal ones in index order.

    On bytes NumPy's stable sort is a counting sort. Real numbers are sorted as integers that hold the number's bits
    above the place, which is several times faster than NumPy's stable sort of numbers.
    """
    if distances.dtype.kind != "f":
        return np.argsort(distances, axis=1, kind="stable")
    bits = (distances.astype(np.float32) + np.float32(0)).view(np.int32).astype(np.int64)  # adding 0 makes 0 of -0
    keys = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits)  # ascending, as the numbers are
    keys <<= 32
    keys |= np.arange(distances.shape[1])
    keys.sort(axis=1)
    keys &= 0xFFFFFFFF
    return keys


@functools.cache
def _ones_of_halves() -> np.ndarray:
    """How many ones each 16-bit number has."""
    numbers = np.arange(1 << 16, dtype=np.uint16)
    return np.unpackbits(numbers.view(np.uint8).reshape(-1, 2), axis=1).sum(axis=1, dtype=np.uint8)


def _count_ones(words: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The ones in every word, uint8: numpy.bitwise_count for NumPy 1."""
    size = words.itemsize // 2
    halves = words.view(np.uint16).reshape(*words.shape, size) if size else words[..., None]
    return _ones_of_halves()[halves].sum(axis=-1, dtype=np.uint8, out=out)


count_ones = getattr(np, "bitwise_count", _count_ones)


class HammingIndex(Index):
    """The distance is the number of bits in which two codes differ.

    Structured codes of M blocks are at twice the number of blocks in which they differ. Codes of up to 64 bits take one
    pass of XOR and bit counts, others one for each 64 bits.

    >>> index = HammingIndex(Codes.from_bits(np.array([[0, 0, 0], [1, 1, 1], [0, 0, 1]])))
    >>> found = index.search(Codes.from_bits(np.array([[0, 1, 1]])), top=2)
    >>> found.indices.tolist(), found.distances.tolist()
    ([1, 2], [1, 1])
    """

    metric = "hamming"

    @property
    def levels(self) -> int:
        """K + 1, as distances are 0 … K bits."""
        return self.codes.bits + 1

    def asked(self, queries: Codes, first: int, last: int) -> np.ndarray:
        """The queries as words, (b, W)."""
        require_alike(self.where, queries, self.codes)
        return to_words(queries.packed[first:last]).T

    def part(self, start: int, stop: int) -> np.ndarray:
        """The items as words, (W, n)."""
        return to_words(self.codes.packed[start:stop])

    def _search(self, queries: Codes, top: int | None, radius: float | None) -> list[tuple[np.ndarray, np.ndarray]]:
        if top is None or top > len(self.codes) // _FEW:
            return super()._search(queries, top, radius)
        asked, pieces = self.asked(queries, 0, len(queries)), cut(len(queries), 2 * _QUERIES, _QUERIES)
        bound = self.levels if radius is None else int(min(radius, self.codes.bits)) + 1
        nearest = {piece.start: Nearest(piece.stop - piece.start, self.levels, top, bound) for piece in pieces}
        for start, _, part in self._parts():
            share(functools.partial(self._look, nearest, asked, part, start), pieces)
        return list(itertools.chain(*share(lambda piece: nearest[piece.start].ranking(), pieces)))

    def _look(self, nearest: dict[int, Nearest], asked: np.ndarray, part: np.ndarray, start: int, piece: slice) -> None:
        """Show the distances of a piece of the queries from the items of a chunk to what finds the nearest of them."""
        asked = asked[piece]
        count, width = part.shape[1], max(1, _TILE // len(asked))
        tiles = np.empty((len(asked), min(count, width)), self.dtype)
        for first in range(0, count, width):
            distances = tiles[:, :count - first]
            self.compare(asked, part[:, first:first + width], distances)
            nearest[piece.start].look(distances, start + first)

    def compare(self, asked: np.ndarray, part: np.ndarray, out: np.ndarray) -> None:
        """Count the bits that differ, one word of the codes after the other."""
        width = max(1, _TILE // len(asked))
        scratch = np.empty((len(asked), min(out.shape[1], width)), part.dtype)
        for start in range(0, out.shape[1], width):
            tile = out[:, start:start + width]
            differing = scratch[:, :tile.shape[1]]
            for i, (query, base) in enumerate(zip(asked.T, part)):
                np.bitwise_xor(query[:, None], base[start:start + width], out=differing)
                if i == 0:
                    count_ones(differing, out=tile)
                else:
                    tile += count_ones(differing)


def require_bits(where: str, queries: Codes, base: Codes) -> None:
    """ShapeError unless the queries have as many bits as the base."""
    if queries.bits != base.bits:
        raise ShapeError(where, expected=f"queries of {base.bits} bits, as the base", got=queries.bits)


def require_alike(where: str, queries: Codes, base: Codes) -> None:
    """ShapeError unless the queries have as many bits as the base; DataError unless both have the same blocks."""
    require_bits(where, queries, base)
    if queries.block_size != base.block_size:
        raise DataError(where, expected=f"queries coded as the base is: {base.rule}", got=queries.rule,
                        hint="encode both with the same --block-size, or neither")
