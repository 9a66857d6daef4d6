"""Retrieval of the one right item: at which place it stands, and how often among the first K."""

from __future__ import annotations

import numpy as np

from blobnet.errors import DataError, ShapeError


def match_ranks(queries: np.ndarray, base: np.ndarray, query_ids: np.ndarray, base_ids: np.ndarray) -> np.ndarray:
    """The place (1 is the first) of each query's match when the base is ranked by Euclidean distance.

    queries (Q, K), base (N, K); the match of a query is the item with its id. Items as far away as the match stand
    before it, so that features which are all the same find nothing. Raises ShapeError; DataError if a query has no
    match or several, or a feature is not finite.

    >>> match_ranks(np.array([[0.0], [5.0]]), np.array([[1.0], [4.0], [9.0]]), np.array([7, 8]), np.array([7, 3, 8]))
    array([1, 3])
    """
    queries, base = np.asarray(queries, np.float64), np.asarray(base, np.float64)
    query_ids, base_ids = np.asarray(query_ids), np.asarray(base_ids)
    if queries.ndim != 2 or base.ndim != 2 or queries.shape[1] != base.shape[1]:
        raise ShapeError("matches", expected="features (Q, K) and (N, K)", got=f"{queries.shape} and {base.shape}")
    if query_ids.shape != queries.shape[:1] or base_ids.shape != base.shape[:1]:
        raise ShapeError("matches", expected=f"an id a row, {queries.shape[:1]} and {base.shape[:1]}",
                         got=f"{query_ids.shape} and {base_ids.shape}")
    if not (np.isfinite(queries).all() and np.isfinite(base).all()):
        raise DataError("matches", expected="finite features", got="NaN or infinity")
    same = query_ids[:, None] == base_ids
    wrong = np.flatnonzero(same.sum(1) != 1)
    if len(wrong):
        raise DataError("matches", f"query {wrong[0]} with id {query_ids[wrong[0]]}", expected="one item of its id",
                        got=int(same[wrong[0]].sum()))
    distances = np.stack([((base - query) ** 2).sum(1) for query in queries]) if len(queries) else np.zeros(same.shape)
    return (distances <= distances[same][:, None]).sum(1)


def accuracy_at(ranks: np.ndarray, k: int) -> float:
    """acc@k: the share of `ranks` that are at most k; DataError if there are none.

    >>> accuracy_at(np.array([1, 3, 2, 9]), 2)
    0.5
    """
    if not len(ranks):
        raise DataError("matches", expected="at least one query", got="none")
    return float((np.asarray(ranks) <= k).mean())
