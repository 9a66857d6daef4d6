"""Retrieval of the one right item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import DataError, ShapeError
from blobnet.hashing.matches import accuracy_at, match_ranks


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 3))
def test_ranks_are_those_of_sorting(seed, count, width):
    rng = np.random.default_rng(seed)
    queries, base = rng.normal(size=(count, width)), rng.normal(size=(count + 2, width))
    ids = rng.permutation(count + 2)
    ranks = match_ranks(queries, base, np.arange(count), ids)
    for query, rank, wanted in zip(queries, ranks, range(count)):
        order = sorted(range(count + 2), key=lambda item: np.linalg.norm(base[item] - query))
        assert ids[order[rank - 1]] == wanted


def test_features_that_are_all_the_same_find_nothing():
    ranks = match_ranks(np.ones((3, 2)), np.ones((5, 2)), np.arange(3), np.arange(5))
    assert ranks.tolist() == [5, 5, 5]
    assert accuracy_at(ranks, 4) == 0 and accuracy_at(ranks, 5) == 1


@pytest.mark.parametrize(("queries", "base", "ids", "base_ids", "error", "message"), [
    (np.ones((1, 2)), np.ones((1, 3)), [0], [0], ShapeError, "(1, 2) and (1, 3)"),
    (np.ones(2), np.ones((1, 2)), [0], [0], ShapeError, "got (2,)"),
    (np.ones((1, 2)), np.ones((2, 2)), [0], [0], ShapeError, "(1,) and (2,), got (1,) and (1,)"),
    (np.ones((2, 1)), np.ones((2, 1)), [0, 4], [0, 1], DataError, "query 1 with id 4, expected one item"),
    (np.ones((1, 1)), np.ones((2, 1)), [1], [1, 1], DataError, "got 2"),
    (np.full((1, 1), np.nan), np.ones((1, 1)), [0], [0], DataError, "finite"),
])
def test_refused(queries, base, ids, base_ids, error, message):
    with pytest.raises(error) as caught:
        match_ranks(queries, base, np.array(ids), np.array(base_ids))
    assert message in str(caught.value)


def test_no_queries_have_no_accuracy():
    with pytest.raises(DataError, match="at least one query"):
        accuracy_at(np.array([]), 1)
