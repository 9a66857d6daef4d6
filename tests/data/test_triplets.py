"""Triplets of records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.batches.triplets import Triplets
from blobnet.errors import DataError


def draw(labels, size, n=0, seed=1):
    return Triplets(np.array(labels), lambda *key: np.random.default_rng((seed, *key)), "db")(n, size).reshape(3, -1)


@given(st.lists(st.integers(-2, 2), min_size=3, max_size=20).filter(lambda x: 1 < len(set(x)) < len(x)),
       st.integers(0, 99))
def test_positives_are_others_of_the_class_and_negatives_of_another(labels, seed):
    labels = np.array(labels)
    query, positive, negative = draw(labels, 120, seed=seed)
    assert (labels[query] == labels[positive]).all() and (query != positive).all()
    assert (labels[query] != labels[negative]).all()


def test_every_triplet_is_drawn_and_as_often_as_the_others_of_its_query():
    labels = [4, 4, 7, -1, 4, 7, 9]
    found, counts = np.unique(draw(labels, 180000).T, axis=0, return_counts=True)
    possible = {(q, p, n) for q in range(7) for p in range(7) for n in range(7)
                if q != p and labels[q] == labels[p] != labels[n]}
    assert {tuple(row) for row in found.tolist()} == possible
    sizes = {query: sum(q == query for q, _, _ in possible) for query, _, _ in possible}
    assert set(sizes) == {0, 1, 2, 4, 5}  # the queries; each has a fifth of all triplets
    expected = np.array([12000 / sizes[query] for query in found[:, 0].tolist()])
    assert (abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_number_and_stream_decide():
    labels = [0, 1] * 50
    np.testing.assert_array_equal(draw(labels, 9, 4), draw(labels, 9, 4))
    assert not np.array_equal(draw(labels, 9, 4), draw(labels, 9, 5))
    assert not np.array_equal(draw(labels, 9, 4), draw(labels, 9, 4, seed=2))


@pytest.mark.parametrize(("labels", "got"), [([1, 1, 1], "3 records of 1 classes"), ([1, 2], "2 records of 2 classes")])
def test_no_triplets(labels, got):
    with pytest.raises(DataError, match=f"^db: expected records of two classes or more.*got {got}"):
        draw(labels, 3)
