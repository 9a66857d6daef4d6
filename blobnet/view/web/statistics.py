"""What a report says of codes beside their scores: classes among the first results, bits, distances of pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.index import Index
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import unpack
from blobnet.view.web.items import comparable

PAIRS = 1 << 24  # of a query and an item, whose distances are looked at
ITEMS = 50_000   # whose bits are
ROWS = 256       # queries at once


class Confusion(NamedTuple):
    """shares (C, D): among the first results of the queries of class c, the share with class d; counts (C,) of the
    queries; precision (C,), the mean of their average precisions; the names of both."""

    shares: np.ndarray
    counts: np.ndarray
    precision: np.ndarray
    rows: list[str]
    columns: list[str]


def confusion(queries: Codes, base: Codes, found: Neighbours, average_precision: np.ndarray) -> Confusion | None:
    """Which classes stand among the results `found`, as many of every query. None without labels of one kind.

    average_precision (Q,): NaN for queries that do not count, of which the mean knows nothing.

    A query with several labels counts for each of them, and a result for each of its own: then rows may sum to more
    than 1.
    """
    if not comparable(queries, base):
        return None
    rows, members = _classes(queries.labels)
    columns, classes = _classes(base.labels)
    results = found.indices.reshape(len(queries), -1)
    sums, (counts, known, precision) = np.zeros((len(rows), len(columns))), np.zeros((3, len(rows)))
    for start in range(0, len(queries), ROWS):
        places = np.arange(start, min(start + ROWS, len(queries)))
        of_class, scores = members(places), average_precision[places]
        among = np.stack([classes(line).mean(axis=0) for line in results[start:start + ROWS]])
        sums += of_class.T @ among
        counts += of_class.sum(axis=0)
        known += np.isfinite(scores) @ of_class
        precision += np.nan_to_num(scores) @ of_class
    used, there = counts > 0, sums.any(axis=0)
    means = np.where(known > 0, precision / np.maximum(known, 1), np.nan)
    return Confusion(sums[np.ix_(used, there)] / counts[used, None], counts[used].astype(np.int64), means[used],
                     [queries.class_name(number) for number in rows[used]],
                     [base.class_name(number) for number in columns[there]])


def _classes(labels: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """The numbers of the classes, and a function places -> (n, C) with a 1 for each class of an item."""
    if labels.ndim == 2:
        return np.arange(labels.shape[1]), lambda places: labels[places].astype(np.float64)
    classes = np.unique(labels)
    return classes, lambda places: (labels[places, None] == classes).astype(np.float64)


class Bits(NamedTuple):
    """ones (K,), the share of items with a 1 in each bit; correlation (K, K), NaN where a bit never changes; how many
    items were looked at, and how many different codes they have."""

    ones: np.ndarray
    correlation: np.ndarray
    items: int
    different: int


def bits_of(codes: Codes) -> Bits:
    """Balance and correlation of the bits, of ITEMS items at most, spread over all."""
    packed = codes.packed[spread(len(codes), ITEMS)]
    bits = unpack(packed, codes.bits).astype(np.float64)
    ones = bits.mean(axis=0)
    centred, deviation = bits - ones, np.sqrt(ones * (1 - ones))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = centred.T @ centred / len(bits) / np.outer(deviation, deviation)
    return Bits(ones, correlation, len(bits), len(np.unique(packed, axis=0)))


def spread(count: int, most: int) -> np.ndarray:
    """At most `most` of the places 0 … count - 1, in equal steps.

    >>> spread(10, 4).tolist(), spread(3, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def pair_distances(index: Index, queries: Codes,
                   relevant: Callable[[int, int], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distances (M,) of pairs of a query and an item, and whether they are relevant: PAIRS or fewer, but one query."""
    distances, hits = [], []
    for query in spread(len(queries), max(PAIRS // len(index.codes), 1)):
        for _, _, line in index.blocks(queries, query, query + 1):
            distances.append(line[0].copy())
            hits.append(np.asarray(relevant(query, query + 1)[0], bool))
    return np.concatenate(distances), np.concatenate(hits)
