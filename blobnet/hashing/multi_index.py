"""Multi-index hashing: exact search in Hamming space that looks at few of the items.

Norouzi, Punjani and Fleet: Fast Exact Search in Hamming Space with Multi-Index Hashing, PAMI 2014.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from blobnet.backend import cut, share
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import HammingIndex, count_ones
from blobnet.hashing.substrings import LONGEST, make_table, ring_of, substrings
from blobnet.hashing.upkeep import take

_QUERIES = 128    # that go through the tables together
_FIRST = 16       # if most of these cost too much, so will the others
_TILE = 1 << 16   # buckets, or candidates, looked at at once: they stay in the cache
_BUCKET = 25      # what a bucket costs, in comparisons of the flat search
_CANDIDATE = 15   # what an item in it costs
_PATIENCE = 0.5   # of what the flat search costs: who has spent more on buckets is searched for by it


class MultiIndex(HammingIndex):
    """Search by tables of substrings of the codes: results and their order are those of HammingIndex.

    A code is cut into m substrings, each with a table of the items by its value. Two codes that differ in at most
    r = m r' + a bits, 0 <= a < m, differ in at most r' bits of one of the first a + 1 substrings, or in fewer than r'
    bits of one of the others (section 3.1 of the paper). So the radius grows bit by bit: step r looks into those
    buckets of table a whose values are r' bits from the query's. After it all items at most r bits away are known; if
    they are `top` or more, it was the last (section 3.2). A query whose buckets cost as much as half of all comparisons
    goes to HammingIndex, and so do all if most of the first ones must: where codes are few, or spread evenly and far
    apart, or `radius` is large.

    tables: m, which lets substrings have 1 to 20 bits; by default they have about log2(N) (section 4). A table has
    the codes once more, and 4 bytes for each item and for each value of its substring.

    >>> index = MultiIndex(Codes.from_bits(np.array([[0, 0, 0], [1, 1, 1], [0, 0, 1]])))
    >>> found = index.search(Codes.from_bits(np.array([[0, 1, 1]])), top=2)
    >>> found.indices.tolist(), found.distances.tolist()
    ([1, 2], [1, 1])
    """

    def __init__(self, codes: Codes, tables: int | None = None):
        super().__init__(codes)
        if tables is None:
            tables = max(1, round(codes.bits / max(1.0, math.log2(len(codes)))), -(-codes.bits // LONGEST))
        if not -(-codes.bits // LONGEST) <= tables <= codes.bits:
            raise DataError(self.where, expected=f"{-(-codes.bits // LONGEST)} to {codes.bits} tables", got=tables)
        edges = [codes.bits * i // tables for i in range(tables + 1)]
        words = self.part(0, len(codes)) if self._whole is None else self._whole
        self.tables = share(lambda ends: make_table(codes, words, *ends), list(itertools.pairwise(edges)))

    @property
    def budget(self) -> float:
        """What buckets may cost for a query, in comparisons."""
        return _PATIENCE * len(self.codes)

    def _search(self, queries: Codes, top: int | None, radius: float | None) -> list[tuple[np.ndarray, np.ndarray]]:
        limit = self.codes.bits if radius is None else int(min(radius, self.codes.bits))
        if top is None and self._cost(limit) > self.budget:
            return super()._search(queries, top, radius)
        asked = self.asked(queries, 0, len(queries)).T

        def walk(piece: slice) -> list[tuple[np.ndarray, np.ndarray] | None]:
            return _Walk(self, queries.packed[piece], asked[:, piece], top, limit).ranking()

        found = walk(slice(0, min(_FIRST, len(queries))))
        others = range(len(found), len(queries))
        if 2 * sum(ranking is None for ranking in found) > len(found):
            found += [None] * len(others)
        else:
            pieces = (others[piece] for piece in cut(len(others), _QUERIES, _QUERIES // 4))
            found += itertools.chain(*share(walk, [slice(piece.start, piece.stop) for piece in pieces]))
        left = [i for i, ranking in enumerate(found) if ranking is None]
        if left:
            for i, ranking in zip(left, super()._search(take(queries, np.array(left)), top, radius)):
                found[i] = ranking
        return found

    def _cost(self, radius: int) -> float:
        """What the buckets within this radius cost if the codes are spread evenly."""
        steps = (divmod(step, len(self.tables)) for step in range(radius + 1))
        return sum(math.comb(self.tables[a].length, ring) * (
            _BUCKET + _CANDIDATE * len(self.codes) / 2 ** self.tables[a].length) for ring, a in steps)


class _Walk:
    """The way of b queries through the tables, step by step: packed codes (b, B), the same as words (W, b)."""

    def __init__(self, index: MultiIndex, packed: np.ndarray, words: np.ndarray, top: int | None, limit: int):
        self._index, self._words, self._top = index, words, top
        self._values = [substrings(packed, table.first, table.length) for table in index.tables]
        self._counts = np.zeros((len(packed), index.levels), np.int64)  # of different items found, by distance
        self._bounds = np.full(len(packed), limit, index.dtype)         # farther items are not wanted
        self._costs = np.zeros(len(packed))
        self._found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # queries, items, distances
        for step in range(limit + 1):
            ring, number = divmod(step, len(index.tables))
            left = np.flatnonzero((self._bounds >= step) & (self._costs <= index.budget))
            if not len(left):
                break
            if ring <= index.tables[number].length:
                self._step(left, ring, number)

    def _step(self, queries: np.ndarray, ring: int, number: int) -> None:
        """Look into the buckets of a table that are `ring` bits away."""
        table = self._index.tables[number]
        width = math.comb(table.length, ring)
        self._costs[queries] += _BUCKET * width
        queries = queries[self._costs[queries] <= self._index.budget]
        rows = max(1, _TILE // width)
        for some in (queries[i:i + rows] for i in range(0, len(queries), rows)):
            values = self._values[number][some, None] ^ ring_of(table.length, ring)
            starts = table.starts[values]
            counts = table.starts[values + 1] - starts
            self._costs[some] += _CANDIDATE * counts.sum(axis=1)
            counts[self._costs[some] > self._index.budget] = 0  # the flat search looks for them
            for buckets, first, numbers in _buckets(starts.ravel(), counts.ravel()):
                self._look(some[buckets // width], first, numbers, ring, number)

    def _look(self, owners: np.ndarray, first: np.ndarray, counts: np.ndarray, ring: int, number: int) -> None:
        """Keep those items of a table's buckets that are near and that no step before has found.

        Each bucket has an owner, which is the query, and a count of items; item i of them all, if it is in this bucket,
        has the place i + first in the table.
        """
        table = self._index.tables[number]
        places = np.arange(counts.sum()) + np.repeat(first, counts)
        differing = [words.take(places) ^ np.repeat(asked.take(owners), counts)
                     for words, asked in zip(table.words, self._words)]
        distances = _ones(differing)
        near = np.flatnonzero(distances <= np.repeat(self._bounds.take(owners), counts))
        differing = [words.take(near) for words in differing]
        for i, other in enumerate(self._index.tables):
            if ring or i < number:
                parts = [words & mask for words, mask in zip(differing, other.mask) if mask]
                new = np.flatnonzero(_ones(parts) >= ring + (i < number))
                near, differing = near.take(new), [words.take(new) for words in differing]
        queries, distances = np.repeat(owners, counts).take(near), distances.take(near)
        self._found.append((queries, table.items.take(places.take(near)), distances))
        if self._top is not None:
            keys = queries * self._counts.shape[1] + distances
            self._counts += np.bincount(keys, minlength=self._counts.size).reshape(self._counts.shape)
            within = np.count_nonzero(np.cumsum(self._counts, axis=1) < self._top, axis=1)
            np.minimum(self._bounds, within, out=self._bounds, casting="unsafe")

    def ranking(self) -> list[tuple[np.ndarray, np.ndarray] | None]:
        """The items of each query and their distances, nearest first; None for a query that costs too much."""
        none = np.empty(0, np.int64)
        queries, items, distances = (np.concatenate([none, *(found[i] for found in self._found)]) for i in range(3))
        done = self._costs <= self._index.budget
        wanted = np.flatnonzero(done[queries] & (distances <= self._bounds[queries]))
        order = wanted[np.lexsort((items[wanted], distances[wanted], queries[wanted]))]
        edges = np.searchsorted(queries[order], np.arange(len(done) + 1))
        places = (order[a:b][:self._top] for a, b in itertools.pairwise(edges))
        return [(items[some], distances[some]) if whole else None for whole, some in zip(done, places)]


def _buckets(starts: np.ndarray, counts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The buckets that have items, about _TILE items at a time: numbers, `first` and counts, as `_Walk._look` has them.
    """
    filled = np.flatnonzero(counts)
    starts, counts = starts[filled], counts[filled]
    ends = np.cumsum(counts, dtype=np.int64)
    tiles = np.arange(0, ends[-1] if len(ends) else 0, _TILE)
    for a, b in itertools.pairwise([*np.searchsorted(ends, tiles), len(ends)]):
        if a < b:
            before = ends[a] - counts[a]
            yield filled[a:b], starts[a:b] - (ends[a:b] - counts[a:b] - before), counts[a:b]


def _ones(words: list[np.ndarray]) -> np.ndarray:
    """(n,) how many ones the W words of each of n codes have together."""
    total = count_ones(words[0])
    for others in words[1:]:
        total = total + count_ones(others).astype(np.int64)
    return total
