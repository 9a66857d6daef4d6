"""Retrieval metrics of hash codes under a stated protocol: mean average precision, precision, precision-recall curves.

Everywhere `base` is the database; it is left out (or is `queries` itself) under protocols whose queries are the
database. `neighbours` says what is relevant under protocols that want lists of neighbours; else labels say so. Print
`protocol.describe()` beside every number: the same codes score differently under different protocols.
`evaluate` takes all measures in one pass over the distances; the other functions give one of them each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blobnet.backend import cut, share
from blobnet.core.shown import shown
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.graded import best_sums
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.one_pass import one_pass
from blobnet.hashing.pair import Pair
from blobnet.hashing.protocol import STANDARD, Protocol
from blobnet.hashing.relevance import ByLabelRows

Curve = tuple[np.ndarray, np.ndarray]  # recall, precision
QUERIES = 32  # no less at a time


class Evaluation(NamedTuple):
    """The scores of one pair of query and base codes; as text, with the protocol's sentence.

    precision_within and by_radius are None for metrics of real values, whose distances are no bits; cumulative_gain and
    ndcg, of the first k, unless relevance is graded by rows of labels (see hashing.graded).
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
    cumulative_gain: float | None = None
    ndcg: float | None = None

    def __str__(self) -> str:
        within = "" if self.precision_within is None else f", P(r<={self.radius}) {self.precision_within:.4f}"
        gain = "" if self.ndcg is None else f", ACG@{self.k} {self.cumulative_gain:.4f}, NDCG@{self.k} {self.ndcg:.4f}"
        return (f"mAP {self.mean_average_precision:.4f}, P@{self.k} {self.precision:.4f}{within}{gain}\n"
                f"{self.protocol.describe()}")

    def _repr_html_(self) -> str:
        return shown(self)


def average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD,
                      neighbours: Neighbours | None = None) -> np.ndarray:
    """Average precision of every query, (Q,) float64; NaN for queries that the protocol leaves out.

    The sum of the precisions at the ranks of the relevant items, over the protocol's divisor; 0 if none was found. The
    protocol may average something else than precision (see Protocol.average). Ties "expected": the closed form of
    McSherry and Najork, Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
    Scores, ECIR 2008.
    """
    return evaluate(queries, base, protocol, neighbours=neighbours).average_precision


def mean_average_precision(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD,
                           neighbours: Neighbours | None = None) -> float:
    """The mean of `average_precision` over the queries that count."""
    return evaluate(queries, base, protocol, neighbours=neighbours).mean_average_precision


def precision_at(queries: Codes, base: Codes | None = None, k: int = 100, protocol: Protocol = STANDARD,
                 neighbours: Neighbours | None = None) -> float:
    """The part of the k first items that is relevant, mean over the queries; DataError unless 1 <= k <= N.

    protocol.top_k and divisor play no part.
    """
    return evaluate(queries, base, protocol, k, neighbours=neighbours).precision


def precision_within(queries: Codes, base: Codes | None = None, radius: int = 2, protocol: Protocol = STANDARD,
                     neighbours: Neighbours | None = None) -> float:
    """The part of the items within `radius` bits that is relevant, mean over the queries.

    A query with nothing within the radius counts as 0. Ties, divisor and top_k of the protocol play no part. DataError
    for other metrics than Hamming distance.
    """
    _require_bits_of(protocol, "precision_within")
    return evaluate(queries, base, protocol, radius=radius, neighbours=neighbours).precision_within


def curve_by_radius(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD,
                    neighbours: Neighbours | None = None) -> Curve:
    """(recall, precision) within every Hamming radius 0 … K, each (K + 1,), pooled over the queries.

    Precision: of all pairs of a query and an item within the radius, the part that is relevant (1 where there is no
    pair yet). Recall: of all relevant pairs, the part within the radius. Ties, divisor and top_k play no part.
    DataError for other metrics than Hamming distance.
    """
    _require_bits_of(protocol, "curve_by_radius")
    return evaluate(queries, base, protocol, neighbours=neighbours).by_radius


def curve_by_rank(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD,
                  neighbours: Neighbours | None = None) -> Curve:
    """(recall, precision) after every rank 1 … N (or top_k), each (N,), the means over the queries.

    A query without relevant items, if it counts, has recall 0.
    """
    return evaluate(queries, base, protocol, neighbours=neighbours).by_rank


def evaluate(queries: Codes, base: Codes | None = None, protocol: Protocol = STANDARD, k: int | None = None,
             radius: int = 2, neighbours: Neighbours | None = None) -> Evaluation:
    """All measures; k None: the protocol's top_k, else 100 or all of a smaller base.

    neighbours: for each query the places in the base of the relevant items, under protocols that want such lists.
    DataError for k outside 1 … N, a negative radius, and queries, base and lists that do not go with the protocol.
    """
    pair = Pair(queries, base, protocol, neighbours)
    top = protocol.top_k or pair.size
    if k is None:
        k = protocol.top_k or min(100, pair.size)
    if not 1 <= k <= pair.size:
        raise DataError("evaluate", expected=f"k from 1 to {pair.size}, the size of the base", got=k)
    if radius < 0:
        raise DataError("evaluate", expected="a radius of 0 bits or more", got=radius)
    parts = share(lambda piece: one_pass(pair, protocol, top, k, radius, piece.start, piece.stop),
                  cut(len(queries), len(queries), QUERIES))  # whose sums in order are repeatable
    sums, at, within = np.concatenate([part.scores for part in parts], axis=1)
    scores, counted = _average_precision(pair, protocol, sums), pair.counted
    hits, recall = sum(part.ranks for part in parts) / counted.sum()
    by_radius = gain = ndcg = None
    if pair.index.levels:
        items, relevant = np.cumsum(sum(part.levels for part in parts), axis=1)
        by_radius = relevant / relevant[-1], np.where(items, relevant / np.maximum(items, 1), 1.0)
    if isinstance(pair.relevance, ByLabelRows):
        gains, discounted = np.concatenate([part.gains for part in parts], axis=1)[:, counted]
        best = best_sums(pair.relevance.levels[counted], k)
        gain, ndcg = float(gains.mean() / k), float(np.divide(discounted, best, where=best > 0,
                                                              out=np.zeros(len(best))).mean())
    return Evaluation(float(np.nanmean(scores)), float(at[counted].mean() / k), k,
                      float(within[counted].mean()) if pair.index.levels else None, radius, protocol, scores,
                      (np.cumsum(recall), np.cumsum(hits) / np.arange(1, top + 1)), by_radius, gain, ndcg)


def _average_precision(pair: Pair, protocol: Protocol, sums: np.ndarray) -> np.ndarray:
    """(Q,) average precision of the `sums` at relevant ranks, NaN for queries that are left out."""
    counted = pair.counted
    if protocol.without_relevant == "skip-unfound":
        counted = counted & (sums > 0)
        if not counted.any():
            raise DataError(f"protocol {protocol.name!r}", f"no query finds a relevant item among the first "
                            f"{protocol.top_k or pair.size}, so there is nothing to average")
    if protocol.divisor == "all" or protocol.ties == "expected":  # a whole ranking, if expected, finds all
        sums = sums / np.maximum(pair.totals, 1)
    return np.where(counted, sums, np.nan)


def _require_bits_of(protocol: Protocol, where: str) -> None:
    if protocol.metric != "hamming":
        raise DataError(where, expected="metric 'hamming', whose distances are bits", got=repr(protocol.metric),
                        hint="curve_by_rank goes with every metric")
