"""The queries that a report shows: the best and the worst, with their first results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.hashing.metrics import Evaluation
from blobnet.hashing.neighbours import Neighbours
from blobnet.view.web.album import Album
from blobnet.view.web.cards import card
from blobnet.view.web.items import Side, asked_html, distance_words, read_pictures, result_html

EACH, RESULTS = 5, 10

Relevant = Callable[[int, int], np.ndarray]


def best_and_worst(average_precision: np.ndarray, each: int = EACH) -> tuple[np.ndarray, np.ndarray]:
    """The queries of the highest and of the lowest average precision, those first; in order where they are equal.

    Queries that do not count (NaN) are in neither, and none is in both.

    >>> best_and_worst(np.array([0.5, np.nan, 0.9, 0.1, 0.9]), 2)
    (array([2, 4]), array([3, 0]))
    """
    counted = np.flatnonzero(np.isfinite(average_precision))
    upwards = counted[np.argsort(average_precision[counted], kind="stable")]
    best = counted[np.argsort(-average_precision[counted], kind="stable")][:each]
    return best, upwards[~np.isin(upwards, best)][:each]


def read_examples(album: Album, queries: Side, base: Side, average_precision: np.ndarray, found: Neighbours) -> None:
    """Take the pictures of these queries and results into the album."""
    places = np.concatenate(best_and_worst(average_precision))
    read_pictures(album, queries, places)
    read_pictures(album, base, np.concatenate([_first(found, place) for place in places]))


def example_cards(album: Album, queries: Side, base: Side, score: Evaluation, found: Neighbours,
                  relevant: Relevant) -> str:
    """Two cards: queries with pictures, names, average precision, and their first results."""
    cards = []
    for title, places in zip(("Best queries", "Worst queries"), best_and_worst(score.average_precision)):
        rows = "".join(_row(album, queries, base, score, found, relevant, place) for place in places)
        cards.append(card(f"{title}, by average precision", rows, more="rows") if rows else "")
    return "".join(cards)


def _row(album: Album, queries: Side, base: Side, score: Evaluation, found: Neighbours, relevant: Relevant,
         query: int) -> str:
    items = _first(found, query)
    distances = found.distances[found.offsets[query]:][:len(items)]
    hits = relevant(query, query + 1)[0][items] > 0
    results = (result_html(album, base, item, rank, distance_words(distance, score.protocol.metric), bool(hit))
               for rank, (item, distance, hit) in enumerate(zip(items, distances, hits), 1))
    said = f'<p class="count">average precision {score.average_precision[query]:.4f}</p>'
    return (f'<div class="query">{asked_html(album, queries, query, said)}'
            f'<ol class="results">{"".join(results)}</ol></div>')


def _first(found: Neighbours, query: int) -> np.ndarray:
    return found.indices[found.offsets[query]:found.offsets[query + 1]][:RESULTS]
