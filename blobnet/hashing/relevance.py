"""Which items of the base are relevant to each query: those of its label, with a shared label, or in its list.

A relevance has totals (Q,), the relevant items of every query, and of(start, stop) -> (stop - start, N): are the items
relevant to the queries start … stop - 1? Booleans or, where it is graded, the numbers of shared labels.
"""

from __future__ import annotations

import itertools

import numpy as np

from blobnet.backend import cut, share
from blobnet.errors import ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import count_ones
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import to_words

_QUERIES = 8  # no fewer for a worker


class ByLabel:
    """Items of the query's label."""

    graded = False

    def __init__(self, queries: np.ndarray, base: np.ndarray):
        classes, numbers = np.unique(np.concatenate([queries, base]), return_inverse=True)
        numbers = numbers.astype(np.min_scalar_type(len(classes)))  # small numbers compare faster
        self._queries, self._base = numbers[:len(queries)], numbers[len(queries):]
        self.totals = np.bincount(self._base, minlength=len(classes))[self._queries]

    def of(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, N) booleans."""
        return self._queries[start:stop, None] == self._base


class ByLabelRows:
    """Items that share a label with the query; graded, by how many they share.

    levels (Q, G + 1): how many items share 0, 1 … G labels with each query, G the most that a pair shares.
    """

    graded = True

    def __init__(self, queries: np.ndarray, base: np.ndarray):
        self._dtype = np.min_scalar_type(queries.shape[1])
        self._queries, self._base = (to_words(np.packbits(labels, axis=1)) for labels in (queries, base))
        counts = list(itertools.chain(*share(self._count, cut(len(queries), len(queries), _QUERIES))))
        self.levels = np.zeros((len(queries), max(map(len, counts))), np.int64)
        for line, count in zip(self.levels, counts):
            line[:len(count)] = count
        self.totals = self.levels[:, 1:].sum(axis=1)

    def of(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, N) numbers of shared labels."""
        shared = np.zeros((stop - start, self._base.shape[1]), self._dtype)
        for query, items in zip(self._queries, self._base):
            shared += count_ones(query[start:stop, None] & items)
        return shared

    def _count(self, piece: slice) -> list[np.ndarray]:
        return [np.bincount(self.of(query, query + 1)[0]) for query in range(piece.start, piece.stop)]


class ByNeighbours:
    """Items in the query's list."""

    graded = False

    def __init__(self, neighbours: Neighbours, num_base: int):
        self._neighbours, self._num_base = neighbours, num_base
        self.totals = np.diff(neighbours.offsets)

    def of(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, N) booleans."""
        relevant = np.zeros((stop - start, self._num_base), bool)
        first, last = self._neighbours.offsets[[start, stop]]
        queries = np.repeat(np.arange(stop - start), self.totals[start:stop])
        relevant[queries, self._neighbours.indices[first:last]] = True
        return relevant


Relevance = ByLabel | ByLabelRows | ByNeighbours


def relevance_of(queries: Codes, base: Codes, neighbours: Neighbours | None = None) -> Relevance:
    """By the lists of neighbours, if there are any, else by the labels.

    DataError for lists that are not of these queries and this base; ShapeError for labels of two kinds.
    """
    if neighbours is not None:
        neighbours.check("neighbours", len(queries), len(base))
        return ByNeighbours(neighbours, len(base))
    if queries.labels.shape[1:] != base.labels.shape[1:]:
        raise ShapeError("labels", expected="labels of one kind on queries and base",
                         got=f"{queries.labels.shape} and {base.labels.shape}")
    return (ByLabel if queries.labels.ndim == 1 else ByLabelRows)(queries.labels, base.labels)
