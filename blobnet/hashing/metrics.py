"""Retrieval metrics of hash codes under a stated protocol: mean average precision, precision, precision-recall curves.

Everywhere `base` is the database; it is left out (or is `queries` itself) under protocols whose queries are the
database. Print `protocol.describe()` beside every number: the same codes score differently under different protocols.
`evaluate` takes all measures in one pass over the distances; the other functions give one of them each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blobnet.backend import cut, share
from blobnet.core.shown import shown
from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import Codes, to_words
from blobnet.hashing.engines import exact_index
from blobnet.hashing.index import stable_order
from blobnet.hashing.protocol import STANDARD, Protocol

Curve = tuple[np.ndarray, np.ndarray]  # recall, precision
QUERIES = 32  # no less at a time


class Evaluation(NamedTuple):
    """The scores of one pair of query and base codes; as text, with the protocol's sentence.

    precision_within and by_radius are None for metrics of real values, whose distances are no bits.
    """

    mean_average_precision: float
    precision: float  # at rank k
    k: int
    precision_within: float | None  # `radius` bits
    radius: int
    protocol: Protocol
    average_precision: np.ndarray  # as the functions of these names give them
    by_rank: Curve
    by_radius: Curve | None

    def __str__(self) -> str:
        within = "" if self.precision_within is None else f", P(r<={self.radius}) {self.precision_within:.4f}"
        return (f"mAP {self.mean_average_precision:.4f}, P@{self.k} {self.precision:.4f}{within}\n"
                f"{self.protocol.describe()}")

    def _repr_html_(self) -> str:
        return shown(self)


def average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> np.ndarray:
    """Average precision of every query, (Q,) float64; NaN for queries that the protocol leaves out.

    The sum of the precisions at the ranks of the relevant items, over the protocol's divisor; 0 if none was found.
    Ties "expected": the closed form of McSherry and Najork, Computing Information Retrieval Performance Measures
    Efficiently in the Presence of Tied Scores, ECIR 2008.
    """
    return evaluate(queries, base, protocol).average_precision


def mean_average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> float:
    """The mean of `average_precision` over the queries that count."""
    return evaluate(queries, base, protocol).mean_average_precision


def precision_at(queries: Codes, base: Codes | None = None, k: int = 100, protocol: Protocol = STANDARD) -> float:
    """The part of the k first items that is relevant, mean over the queries; DataError unless 1 <= k <= N.

    protocol.top_k and divisor play no part.
    """
    return evaluate(queries, base, protocol, k).precision


def precision_within(queries: Codes, base: Codes | None = None, radius: int = 2,
                     protocol: Protocol = STANDARD) -> float:
    """The part of the items within `radius` bits that is relevant, mean over the queries.

    A query with nothing within the radius counts as 0. Ties, divisor and top_k of the protocol play no part. DataError
    for other metrics than Hamming distance.
    """
    _require_bits_of(protocol, "precision_within")
    return evaluate(queries, base, protocol, radius=radius).precision_within


def curve_by_radius(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> Curve:
    """(recall, precision) within every Hamming radius 0 … K, each (K + 1,), pooled over the queries.

    Precision: of all pairs of a query and an item within the radius, the part that is relevant (1 where there is no
    pair yet). Recall: of all relevant pairs, the part within the radius. Ties, divisor and top_k play no part.
    DataError for other metrics than Hamming distance.
    """
    _require_bits_of(protocol, "curve_by_radius")
    return evaluate(queries, base, protocol).by_radius


def curve_by_rank(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD) -> Curve:
    """(recall, precision) after every rank 1 … N (or top_k), each (N,), the means over the queries.

    A query without relevant items, if it counts, has recall 0.
    """
    return evaluate(queries, base, protocol).by_rank


def evaluate(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD, k: int | None = None,
             radius: int = 2) -> Evaluation:
    """All measures; k None: the protocol's top_k, else 100 or all of a smaller base.

    DataError for k outside 1 … N, a negative radius, and queries and base that do not go with the protocol.
    """
    pair = _Pair(queries, base, protocol)
    top = protocol.top_k or pair.size
    if k is None:
        k = protocol.top_k or min(100, pair.size)
    if not 1 <= k <= pair.size:
        raise DataError("evaluate", expected=f"k from 1 to {pair.size}, the size of the base", got=k)
    if radius < 0:
        raise DataError("evaluate", expected="a radius of 0 bits or more", got=radius)
    parts = _of_queries(lambda first, last: _one_pass(pair, protocol, top, k, radius, first, last), len(queries))
    sums, at, within = (np.concatenate(arrays) for arrays in zip(*(part.scores for part in parts)))
    if protocol.divisor == "all" or protocol.ties == "expected":  # a whole ranking, if expected, finds all
        sums = sums / np.maximum(pair.totals, 1)
    scores, counted = np.where(pair.counted, sums, np.nan), pair.counted
    hits, recall = sum(part.ranks for part in parts) / counted.sum()
    by_radius = None
    if pair.index.levels:
        items, relevant = np.cumsum(sum(part.levels for part in parts), axis=1)
        by_radius = relevant / relevant[-1], np.where(items, relevant / np.maximum(items, 1), 1.0)
    return Evaluation(float(np.nanmean(scores)), float(at[counted].mean() / k), k,
                      float(within[counted].mean()) if pair.index.levels else None, radius, protocol, scores,
                      (np.cumsum(recall), np.cumsum(hits) / np.arange(1, top + 1)), by_radius)


def _of_queries(body: Callable, count: int) -> list:
    """The results of body(first, last) on pieces of the queries, whose sums in order are repeatable."""
    return share(lambda piece: body(piece.start, piece.stop), cut(count, count, QUERIES))


def _require_bits_of(protocol: Protocol, where: str) -> None:
    if protocol.metric != "hamming":
        raise DataError(where, expected="metric 'hamming', whose distances are bits", got=repr(protocol.metric),
                        hint="curve_by_rank goes with every metric")


class _Pair:
    """Queries and base, checked against each other and the protocol.

    index of the base; size = N; relevance(start, stop), as `_relevance` gives it; totals (Q,) relevant items of every
    query; counted (Q,) whether it counts.
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
        self.queries, self.index, self.size = queries, exact_index(base, protocol.metric), len(base)
        if protocol.top_k is not None and protocol.top_k > self.size:
            raise DataError(where, expected=f"top_k up to {self.size}, the size of the base", got=protocol.top_k)
        self.relevance = _relevance(queries.labels, base.labels)
        self.totals = np.concatenate(_of_queries(self._count_relevant, len(queries)))
        if not self.totals.any():
            raise DataError(where, "no query has a relevant item in the base",
                            hint="do queries and base share their labels?")
        self.counted = (self.totals > 0) | (protocol.without_relevant == "zero")

    def _count_relevant(self, first: int, last: int) -> np.ndarray:
        return np.array([np.count_nonzero(self.relevance(query, query + 1)) for query in range(first, last)])


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


class _Sums(NamedTuple):
    """What a worker finds for q queries."""

    scores: np.ndarray  # (3, q) sum of precisions, relevant items up to rank k, precision within the radius
    ranks: np.ndarray   # (2, top) relevant items at each rank, and each as a share of its query's
    levels: np.ndarray  # (2, levels) pairs of query and item at each distance: all, the relevant ones


def _one_pass(pair: _Pair, protocol: Protocol, top: int, k: int, radius: int, first: int, last: int) -> _Sums:
    """All sums over the queries first … last - 1."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, pair.size + 1))])
    found = _Sums(np.zeros((3, last - first)), np.zeros((2, top)), np.zeros((2, pair.index.levels or 0), np.int64))
    weights = np.stack([np.ones(len(pair.totals)), 1 / np.maximum(pair.totals, 1)])
    for start, stop, distances in pair.index.blocks(pair.queries, first, last):
        relevant = pair.relevance(start, stop)
        sums, at, within = found.scores[:, start - first:stop - first]
        if pair.index.levels or protocol.ties != "index":
            places = distances if pair.index.levels else _dense_ranks(distances)
            items, hits = table = _histograms(places, relevant, pair.index.levels or int(places.max()) + 1)
        if pair.index.levels:
            found.levels[...] += table[:, pair.counted[start:stop]].sum(axis=1)
            within[:] = hits[:, :radius + 1].sum(axis=1) / np.maximum(items[:, :radius + 1].sum(axis=1), 1)
        if protocol.ties == "index":
            ranked = _ranked_hits(distances, relevant, max(top, k))
        else:
            ranked = _tied_hits(items, hits, protocol.ties)
        at[:] = ranked[:, :k].sum(axis=1)
        ranked = ranked[:, :top]
        if protocol.ties == "expected":
            sums[:] = _expected_precision_sums(items, hits, harmonic, top)
        else:
            sums[:] = [_precision_sum(line, protocol.divisor) for line in ranked]
        found.ranks[...] += weights[:, start:stop] @ ranked.astype(np.float64)
    return found


def _dense_ranks(distances: np.ndarray) -> np.ndarray:
    """(b, N) whole numbers 0, 1, 2 … in the order of each row's real distances, equal for equal ones."""
    order = stable_order(distances)
    ascending = np.take_along_axis(distances, order, axis=1)
    steps = np.zeros(order.shape, np.int64)
    np.cumsum(ascending[:, 1:] != ascending[:, :-1], axis=1, out=steps[:, 1:])
    np.put_along_axis(ranks := np.empty_like(steps), order, steps, axis=1)
    return ranks


def _ranked_hits(distances: np.ndarray, relevant: np.ndarray, top: int) -> np.ndarray:
    """(b, top) booleans: is the item at each rank relevant, equal distances in index order?"""
    order = stable_order(distances)[:, :top]
    order += np.arange(0, distances.size, distances.shape[1])[:, None]
    return relevant.ravel().take(order)


def _histograms(places: np.ndarray, relevant: np.ndarray, levels: int) -> np.ndarray:
    """How many items, and how many relevant ones, each query has at every distance: (2, b, levels)."""
    keys = places.astype(np.promote_types(places.dtype, np.min_scalar_type(2 * levels)))
    keys *= 2
    keys += relevant
    counts = np.array([np.bincount(line, minlength=2 * levels) for line in keys])
    others, hits = counts[:, ::2], counts[:, 1::2]
    return np.stack([others + hits, hits])


def _tied_hits(items: np.ndarray, hits: np.ndarray, ties: str) -> np.ndarray:
    """(b, N) from the histograms: is the item at each rank relevant? Of ties "expected", the probability."""
    if ties == "expected":
        values, counts = hits / np.maximum(items, 1), items
    else:
        counts = np.stack([hits, items - hits] if ties == "best" else [items - hits, hits], axis=2)
        values = np.broadcast_to([ties == "best", ties != "best"], counts.shape)
    return np.repeat(values.ravel(), counts.ravel()).reshape(len(items), -1)


def _precision_sum(hits: np.ndarray, divisor: str) -> float:
    """The sum over the relevant ranks of the precision there or, divisor "found", the mean."""
    ranks = np.flatnonzero(hits) + 1
    total = (np.arange(1, len(ranks) + 1) / ranks).sum()
    return total / max(len(ranks), 1) if divisor == "found" else total


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
