"""Retrieval metrics of hash codes under a stated protocol: mean average precision, precision, precision-recall curves.

Everywhere `base` is the database; it is left out (or is `queries` itself) under protocols whose queries are the
database. Print `protocol.describe()` beside every number: the same codes score differently under different protocols.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blobnet.backend import parallel
from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import Codes, to_words
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.protocol import STANDARD, Protocol


class Evaluation(NamedTuple):
    """The scores of one pair of query and base codes; as text, with the protocol's sentence."""

    mean_average_precision: float
    precision: float  # at rank k
    k: int
    precision_within: float  # `radius` bits
    radius: int
    protocol: Protocol

    def __str__(self) -> str:
        return (f"mAP {self.mean_average_precision:.4f}, P@{self.k} {self.precision:.4f}, "
                f"P(r<={self.radius}) {self.precision_within:.4f}\n{self.protocol.describe()}")


def average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> np.ndarray:
    """Average precision of every query, (Q,) float64; NaN for queries that the protocol leaves out.

    The sum of the precisions at the ranks of the relevant items, over the protocol's divisor; 0 if none was found.
    Ties "expected": the closed form of McSherry and Najork, Computing Information Retrieval Performance Measures
    Efficiently in the Presence of Tied Scores, ECIR 2008.
    """
    pair = _Pair(queries, base, protocol)
    top = protocol.top_k or pair.size
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, pair.size + 1))])

    def body(block: slice, distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        if protocol.ties == "expected":
            return _expected_precision_sums(*_histograms(distances, relevant, queries.bits), harmonic, top)
        hits = _ranked_hits(distances, relevant, protocol.ties, top)
        sums = _precision_sums(hits)
        return sums / np.maximum(hits.sum(axis=1), 1) if protocol.divisor == "found" else sums

    sums = pair.per_query(body)
    if protocol.divisor == "all" or protocol.ties == "expected":  # a whole ranking, if expected, finds all
        sums = sums / np.maximum(pair.totals, 1)
    return np.where(pair.counted, sums, np.nan)


def mean_average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> float:
    """The mean of `average_precision` over the queries that count."""
    return float(np.nanmean(average_precision(queries, base, protocol)))


def precision_at(queries: Codes, base: Codes | None = None, k: int = 100, protocol: Protocol = STANDARD) -> float:
    """The part of the k first items that is relevant, mean over the queries; DataError unless 1 <= k <= N.

    protocol.top_k and divisor play no part.
    """
    pair = _Pair(queries, base, protocol)
    if not 1 <= k <= pair.size:
        raise DataError("precision_at", expected=f"k from 1 to {pair.size}, the size of the base", got=k)

    def body(block: slice, distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        if protocol.ties != "expected":
            return _ranked_hits(distances, relevant, protocol.ties, k).sum(axis=1)
        items, hits = _histograms(distances, relevant, queries.bits)
        seen = np.clip(k - (np.cumsum(items, axis=1) - items), 0, items)
        return (hits * seen / np.maximum(items, 1)).sum(axis=1)

    return float(pair.per_query(body)[pair.counted].mean() / k)


def precision_within(queries: Codes, base: Codes | None = None, radius: int = 2,
                     protocol: Protocol = STANDARD) -> float:
    """The part of the items within `radius` bits that is relevant, mean over the queries.

    A query with nothing within the radius counts as 0. Ties, divisor and top_k of the protocol play no part.
    """
    pair = _Pair(queries, base, protocol)
    if radius < 0:
        raise DataError("precision_within", expected="a radius of 0 bits or more", got=radius)

    def body(block: slice, distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        near = distances <= radius
        items = near.sum(axis=1)
        near &= relevant
        return near.sum(axis=1) / np.maximum(items, 1)

    return float(pair.per_query(body)[pair.counted].mean())


def curve_by_radius(queries: Codes, base: Codes | None = None,
                    protocol: Protocol = STANDARD) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) within every Hamming radius 0 … K, each (K + 1,), pooled over the queries.

    Precision: of all pairs of a query and an item within the radius, the part that is relevant (1 where there is no
    pair yet). Recall: of all relevant pairs, the part within the radius. Ties, divisor and top_k play no part.
    """
    pair = _Pair(queries, base, protocol)

    def body(block: slice, distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        counted = pair.counted[block]
        distances, relevant = distances[counted], relevant[counted]
        return np.stack([np.bincount(distances.ravel(), minlength=queries.bits + 1),
                         np.bincount(distances[relevant], minlength=queries.bits + 1)])

    items, hits = np.cumsum(pair.summed(body), axis=1)
    return hits / hits[-1], np.where(items, hits / np.maximum(items, 1), 1.0)


def curve_by_rank(queries: Codes, base: Codes | None = None,
                  protocol: Protocol = STANDARD) -> tuple[np.ndarray, np.ndarray]:
    """(recall, precision) after every rank 1 … N (or top_k), each (N,), the means over the queries.

    A query without relevant items, if it counts, has recall 0.
    """
    pair = _Pair(queries, base, protocol)
    top = protocol.top_k or pair.size
    shares = 1 / np.maximum(pair.totals, 1)

    def body(block: slice, distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
        counted = pair.counted[block]
        distances, relevant = distances[counted], relevant[counted]
        if protocol.ties == "expected":
            hits = _expected_hits(*_histograms(distances, relevant, queries.bits), top)
        else:
            hits = _ranked_hits(distances, relevant, protocol.ties, top)
        return np.stack([shares[block][counted] @ hits, hits.sum(axis=0)])

    recall, hits = np.cumsum(pair.summed(body), axis=1) / pair.counted.sum()
    return recall, hits / np.arange(1, top + 1)


def evaluate(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD, k: int | None = None,
             radius: int = 2) -> Evaluation:
    """mAP, precision at rank k and within `radius`; k None: the protocol's top_k, else 100 or all of a smaller base."""
    k = k or protocol.top_k or min(100, len(queries if base is None else base))
    return Evaluation(mean_average_precision(queries, base, protocol), precision_at(queries, base, k, protocol), k,
                      precision_within(queries, base, radius, protocol), radius, protocol)


class _Pair:
    """Queries and base, checked against each other and the protocol.

    size = N; totals (Q,) relevant items of every query; counted (Q,) whether it counts.
    """

    def __init__(self, queries: Codes, base: Codes | None, protocol: Protocol):
        where = f"protocol {protocol.name!r}"
        if base is None and protocol.query_in_database:
            base = queries
        if base is None or (base is queries and not protocol.query_in_database):
            raise DataError(where, expected="a base apart from the queries", got="none" if base is None else "them",
                            hint="protocol 'dsh-authors' ranks a set against itself")
        if protocol.query_in_database and base is not queries and not np.array_equal(base.packed, queries.packed):
            raise DataError(where, expected="a base that is the queries", got="another base", hint="leave the base out")
        if not len(queries):
            raise DataError(where, "no queries")
        self.queries, self.index, self.size = queries, HammingIndex(base), len(base)
        if protocol.top_k is not None and protocol.top_k > self.size:
            raise DataError(where, expected=f"top_k up to {self.size}, the size of the base", got=protocol.top_k)
        self.relevance = _relevance(queries.labels, base.labels)
        self.totals = np.concatenate(parallel(self._count_relevant, len(queries)))
        if not self.totals.any():
            raise DataError(where, "no query has a relevant item in the base",
                            hint="do queries and base share their labels?")
        self.counted = (self.totals > 0) | (protocol.without_relevant == "zero")

    def per_query(self, body: Callable[[slice, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """body(block, distances, relevant) over blocks of b queries, arrays (b, N); its (b,) results in one array."""
        return np.concatenate([result for results in self._parts(body, list) for result in results])

    def summed(self, body: Callable[[slice, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """Likewise, the sum of the results."""
        return sum(self._parts(body, sum))

    def _count_relevant(self, first: int, last: int) -> np.ndarray:
        return np.array([np.count_nonzero(self.relevance(query, query + 1)) for query in range(first, last)])

    def _parts(self, body: Callable, gather: Callable) -> list:
        def part(first: int, last: int):
            return gather(body(slice(start, stop), distances, self.relevance(start, stop))
                          for start, stop, distances in self.index.blocks(self.queries, first, last))

        return parallel(part, len(self.queries))


def _relevance(queries: np.ndarray | None, base: np.ndarray | None) -> Callable[[int, int], np.ndarray]:
    """The function (start, stop) -> (stop - start, N) booleans: is the item relevant to the query?"""
    if queries is None or base is None:
        raise DataError("metrics", expected="labels on queries and base",
                        got="no labels on the " + ("queries" if queries is None else "base"))
    if queries.shape[1:] != base.shape[1:]:
        raise ShapeError("metrics", expected="labels of one kind on queries and base",
                         got=f"{queries.shape} and {base.shape}")
    if queries.ndim == 1:  # small class numbers compare faster
        classes, numbers = np.unique(np.concatenate([queries, base]), return_inverse=True)
        numbers = numbers.astype(np.min_scalar_type(len(classes)))
        queries, base = numbers[:len(queries)], numbers[len(queries):]
        return lambda start, stop: queries[start:stop, None] == base
    queries, base = (to_words(np.packbits(labels, axis=1)) for labels in (queries, base))

    def shared(start: int, stop: int) -> np.ndarray:
        return np.logical_or.reduce([query[start:stop, None] & items != 0 for query, items in zip(queries, base)])

    return shared


def _ranked_hits(distances: np.ndarray, relevant: np.ndarray, ties: str, top: int) -> np.ndarray:
    """(b, top) booleans: is the item at each rank relevant? Ties "index", "best" or "worst"."""
    keys = distances
    if ties != "index":
        kind = np.uint8 if int(distances.max(initial=0)) < 128 else np.uint16
        keys = distances.astype(kind) * kind(2) + (relevant if ties == "worst" else ~relevant)
    order = np.argsort(keys, axis=1, kind="stable")[:, :top]  # on bytes NumPy's stable sort is a counting sort
    order += np.arange(len(order))[:, None] * distances.shape[1]
    return relevant.ravel().take(order)


def _precision_sums(hits: np.ndarray) -> np.ndarray:
    """(b,) sums over the relevant ranks of the precision there."""
    found = hits.sum(axis=1)
    rows = np.repeat(np.arange(len(hits)), found)
    ranks = np.flatnonzero(hits) - rows * hits.shape[1] + 1
    nth = np.arange(1, len(rows) + 1) - np.repeat(np.cumsum(found) - found, found)
    return np.bincount(rows, weights=nth / ranks, minlength=len(hits))


def _histograms(distances: np.ndarray, relevant: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """How many items, and how many relevant ones, each query has at every distance: two (b, bits + 1) arrays."""
    keys = distances + np.arange(0, len(distances) * (bits + 1), bits + 1)[:, None]
    shape, length = (len(distances), bits + 1), len(distances) * (bits + 1)
    return (np.bincount(keys.ravel(), minlength=length).reshape(shape),
            np.bincount(keys[relevant], minlength=length).reshape(shape))


def _expected_precision_sums(items: np.ndarray, hits: np.ndarray, harmonic: np.ndarray, top: int) -> np.ndarray:
    """(b,) expected sums of precisions at relevant ranks up to `top`, over random orders of equal distances.

    With S items of which R relevant before a group of n with r, the i-th of the group is relevant with r / n, and then
    R + 1 + (i - 1) (r - 1) / (n - 1) relevant items stand at rank S + i. Sums of 1 / (S + i) are harmonic differences.
    """
    before, hits_before = np.cumsum(items, axis=1) - items, np.cumsum(hits, axis=1) - hits
    seen = np.clip(top - before, 0, items)
    inverse = harmonic[before + seen] - harmonic[before]
    slope = (hits - 1) / np.maximum(items - 1, 1)
    sums = hits / np.maximum(items, 1) * ((hits_before + 1) * inverse + slope * (seen - (before + 1) * inverse))
    return sums.sum(axis=1)


def _expected_hits(items: np.ndarray, hits: np.ndarray, top: int) -> np.ndarray:
    """(b, top) probabilities that the item at each rank is relevant, over random orders of equal distances."""
    return np.repeat((hits / np.maximum(items, 1)).ravel(), items.ravel()).reshape(len(items), -1)[:, :top]
