"""Rankings by distance with equal distances in several orders, and what average precision sums over them.

A block has b queries and N items: distances (b, N); relevant (b, N) booleans; gains (b, N), which are the numbers of
shared labels where relevance is graded, else the booleans. Places are distances as whole numbers 0, 1, 2 …
"""

from __future__ import annotations

import numpy as np

from blobnet.hashing.index import stable_order


def dense_ranks(distances: np.ndarray) -> np.ndarray:
    """(b, N) whole numbers 0, 1, 2 … in the order of each row's real distances, equal for equal ones."""
    order = stable_order(distances)
    ascending = np.take_along_axis(distances, order, axis=1)
    steps = np.zeros(order.shape, np.int64)
    np.cumsum(ascending[:, 1:] != ascending[:, :-1], axis=1, out=steps[:, 1:])
    np.put_along_axis(ranks := np.empty_like(steps), order, steps, axis=1)
    return ranks


def in_index_order(distances: np.ndarray, gains: np.ndarray, top: int) -> np.ndarray:
    """(b, top): the gain of the item at each rank, equal distances in index order."""
    order = stable_order(distances)[:, :top]
    order += np.arange(0, distances.size, distances.shape[1])[:, None]
    return gains.ravel().take(order)


def histograms(places: np.ndarray, relevant: np.ndarray, levels: int) -> np.ndarray:
    """How many items, and how many relevant ones, each query has at every place: (2, b, levels)."""
    keys = places.astype(np.promote_types(places.dtype, np.min_scalar_type(2 * levels)))
    keys *= 2
    keys += relevant
    counts = np.array([np.bincount(line, minlength=2 * levels) for line in keys])
    others, hits = counts[:, ::2], counts[:, 1::2]
    return np.stack([others + hits, hits])


def tied_hits(items: np.ndarray, hits: np.ndarray, ties: str) -> np.ndarray:
    """(b, N) from the histograms: is the item at each rank relevant? Of ties "expected", the probability."""
    if ties == "expected":
        values, counts = hits / np.maximum(items, 1), items
    else:
        counts = np.stack([hits, items - hits] if ties == "best" else [items - hits, hits], axis=2)
        values = np.broadcast_to([ties == "best", ties != "best"], counts.shape)
    return np.repeat(values.ravel(), counts.ravel()).reshape(len(items), -1)


def average_sum(hits: np.ndarray, gains: np.ndarray, average: str, divisor: str) -> float:
    """The sum over the relevant ranks of a ranking (n,) of what is averaged there or, divisor "found", the mean.

    average: "precision", "trapezoid" or "gain", as Protocol has them.
    """
    ranks = np.flatnonzero(hits) + 1
    found = np.arange(1, len(ranks) + 1)
    if average == "gain":  # others than relevant items gain nothing
        found = np.cumsum(gains[ranks - 1], dtype=np.int64)
    values = found / ranks
    if average == "trapezoid":
        before = np.where(ranks == 1, 1.0, (found - 1) / np.maximum(ranks - 1, 1))
        values = (before + values) / 2
    total = values.sum()
    return total / max(len(ranks), 1) if divisor == "found" else total


def expected_precision_sums(items: np.ndarray, hits: np.ndarray, harmonic: np.ndarray, top: int) -> np.ndarray:
    """(b,) expected sums of precisions at relevant ranks up to `top`, over random orders of equal distances.

    harmonic: the harmonic numbers 0, 1 … N. With S items of which R relevant before a group of n with r, the i-th of
    the group is relevant with r / n, and then R + 1 + (i - 1) (r - 1) / (n - 1) relevant items stand at rank S + i.
    Sums of 1 / (S + i) are harmonic differences.
    """
    before, hits_before = np.cumsum(items, axis=1) - items, np.cumsum(hits, axis=1) - hits
    seen = np.clip(top - before, 0, items)
    inverse = harmonic[before + seen] - harmonic[before]
    slope = (hits - 1) / np.maximum(items - 1, 1)
    sums = hits / np.maximum(items, 1) * ((hits_before + 1) * inverse + slope * (seen - (before + 1) * inverse))
    return sums.sum(axis=1)
