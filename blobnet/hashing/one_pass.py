"""One pass over the distances of some queries, in which every measure takes its sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blobnet.hashing import graded
from blobnet.hashing.pair import Pair
from blobnet.hashing.protocol import Protocol
from blobnet.hashing.ranking import (
    average_sum,
    dense_ranks,
    expected_precision_sums,
    histograms,
    in_index_order,
    tied_hits,
)


class Sums(NamedTuple):
    """What a worker finds for q queries."""

    scores: np.ndarray  # (3, q) sum of precisions, relevant items up to rank k, precision within the radius
    gains: np.ndarray   # (2, q) gains and discounted gains up to rank k; 0 unless relevance is graded
    ranks: np.ndarray   # (2, top) relevant items at each rank, and each as a share of its query's
    levels: np.ndarray  # (2, levels) pairs of query and item at each distance: all, the relevant ones


def one_pass(pair: Pair, protocol: Protocol, top: int, k: int, radius: int, first: int, last: int) -> Sums:
    """All sums over the queries first … last - 1; the rankings are seen up to rank `top`."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, pair.size + 1))])
    found = Sums(np.zeros((3, last - first)), np.zeros((2, last - first)), np.zeros((2, top)),
                 np.zeros((2, pair.index.levels or 0), np.int64))
    weights = np.stack([np.ones(len(pair.totals)), 1 / np.maximum(pair.totals, 1)])
    for start, stop, distances in pair.index.blocks(pair.queries, first, last):
        gains = pair.relevance.of(start, stop)
        relevant = gains > 0 if pair.relevance.graded else gains
        sums, at, within = found.scores[:, start - first:stop - first]
        if pair.index.levels or protocol.ties != "index":
            places = distances if pair.index.levels else dense_ranks(distances)
            items, hits = table = histograms(places, relevant, pair.index.levels or int(places.max()) + 1)
        if pair.index.levels:
            found.levels[...] += table[:, pair.counted[start:stop]].sum(axis=1)
            within[:] = hits[:, :radius + 1].sum(axis=1) / np.maximum(items[:, :radius + 1].sum(axis=1), 1)
        if protocol.ties == "index":
            by_rank = in_index_order(distances, gains, max(top, k))
            ranked, powers = by_rank > 0 if pair.relevance.graded else by_rank, None
        else:
            ranked = tied_hits(items, hits, protocol.ties)
            by_rank, powers = graded.by_rank(places, gains, protocol.ties) if pair.relevance.graded else (ranked, None)
        at[:] = ranked[:, :k].sum(axis=1)
        if pair.relevance.graded:
            powers = graded.powers(by_rank[:, :k]) if powers is None else powers[:, :k]
            found.gains[:, start - first:stop - first] = by_rank[:, :k].sum(axis=1), powers @ graded.discounts(k)
        ranked = ranked[:, :top]
        if protocol.ties == "expected":
            sums[:] = expected_precision_sums(items, hits, harmonic, top)
        else:
            sums[:] = [average_sum(*lines, protocol.average, protocol.divisor) for lines in zip(ranked, by_rank)]
        found.ranks[...] += weights[:, start:stop] @ ranked.astype(np.float64)
    return found
