"""Graded relevance: how many labels an item shares with the query counts, not only whether it shares one.

Of the first k items of a ranking, which share r_1 … r_k labels with the query (paper: Zhao et al., Deep Semantic
Ranking Based Hashing for Multi-Label Image Retrieval, CVPR 2015, section 4.2):

    ACG@k    average cumulative gain: the mean of r_i
    NDCG@k   normalised discounted cumulative gain: the sum of (2 ** r_i - 1) / log2(1 + i), over that of the best order
             of the whole base (Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, TOIS 2002)

Weighted mAP, the mean of ACG@i at the ranks i of relevant items, is average precision with average "gain". The paper's
program takes NDCG over random orders of equal distances, which is ties "expected", and the others in one order.
"""

from __future__ import annotations

import numpy as np


def powers(gains: np.ndarray) -> np.ndarray:
    """2 ** r - 1, float64."""
    return np.exp2(gains, dtype=np.float64) - 1


def discounts(k: int) -> np.ndarray:
    """1 / log2(1 + i) for the ranks i = 1 … k."""
    return 1 / np.log2(np.arange(2, k + 2))


def best_sums(levels: np.ndarray, k: int) -> np.ndarray:
    """(Q,) the largest discounted cumulative gains, of `levels` (Q, G + 1) items that share 0 … G labels."""
    descending = levels[:, ::-1]
    ends = np.minimum(np.cumsum(descending, axis=1), k)
    sums = np.concatenate([[0.0], np.cumsum(discounts(k))])
    parts = np.diff(sums[ends], axis=1, prepend=0.0)
    return parts @ powers(np.arange(levels.shape[1])[::-1])


def by_rank(places: np.ndarray, gains: np.ndarray, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """(b, N) r_i and (b, N) 2 ** r_i - 1 at every rank; of ties "expected" their expectations.

    places (b, N) whole numbers, equal for equal distances; gains (b, N). Of equal distances "best" puts the larger
    gains first, "worst" last.
    """
    if ties == "expected":
        return _means(places, gains), _means(places, powers(gains))
    sign = -1 if ties == "best" else 1
    ranked = np.array([line[np.lexsort((sign * line.astype(np.int64), place))] for place, line in zip(places, gains)])
    return ranked, powers(ranked)


def _means(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(b, N) at every rank the mean value of the items at the same place."""
    means = np.empty(values.shape)
    for place, line, mean in zip(places, values, means):
        items = np.bincount(place)
        mean[:] = np.repeat(np.bincount(place, weights=line) / np.maximum(items, 1), items)
    return means
