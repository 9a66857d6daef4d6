"""The order of records over epochs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.batches.order import Order, Shuffles


def streams(seed):
    return lambda *key: np.random.default_rng((seed, *key))


@given(st.integers(1, 9), st.integers(0, 40), st.integers(1, 25))
def test_in_order(count, start, size):
    assert Order(count)(start, size).tolist() == [place % count for place in range(start, start + size)]


@given(st.integers(1, 9), st.integers(0, 40), st.integers(1, 25), st.integers(0, 3))
def test_shuffled_runs_are_parts_of_one(count, start, size, seed):
    whole = Order(count, Shuffles(streams(seed)))(0, 80)
    assert Order(count, Shuffles(streams(seed)))(start, size).tolist() == whole[start:start + size].tolist()
    for epoch in range(80 // count):
        assert sorted(whole[epoch * count:][:count]) == list(range(count))


def test_epochs_differ():
    order = Order(20, Shuffles(streams(0)))
    assert not np.array_equal(order(0, 20), order(20, 20))


def test_a_permutation_is_kept_as_long_as_its_stream():
    seed = [1]
    shuffles = Shuffles(lambda *key: np.random.default_rng((seed[0], *key)))
    first = shuffles(50, 3, 0)
    assert shuffles(50, 3, 0) is first
    seed[0] = 2
    assert not np.array_equal(shuffles(50, 3, 0), first)
    seed[0] = 1
    np.testing.assert_array_equal(shuffles(50, 3, 0), first)


@pytest.mark.parametrize("key", [(3, 1), (4, 0)])
def test_the_key_decides(key):
    shuffles = Shuffles(streams(0))
    assert not np.array_equal(shuffles(30, 3, 0), shuffles(30, *key))
