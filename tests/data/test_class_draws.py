"""Drawing the records of a batch class by class."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.batches.class_draws import ClassDraws


def streams(*key):
    return np.random.default_rng(key)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.data())
def test_single_labels(labels, data):
    labels = np.array(labels)
    classes = data.draw(st.integers(1, len(set(labels.tolist()))))
    size, n = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 1000))
    draws = ClassDraws(labels, classes, streams, "layer")
    records = draws(n, size)
    np.testing.assert_array_equal(records, draws(n, size))
    assert not size or draws(n, 1)[0] == records[0]  # so the shape of a batch can be told from one record
    drawn = Counter(labels[records].tolist())
    assert len(records) == size and len(drawn) == min(classes, size)
    assert max(drawn.values(), default=0) - min(drawn.values(), default=0) <= 1
    for label, count in drawn.items():
        often = [list(records).count(record) for record in np.flatnonzero(labels == label)]
        assert sum(often) == count and max(often) - min(often) <= 1


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3).filter(any), min_size=1, max_size=12), st.integers(0, 100))
def test_label_rows(rows, n):
    rows = np.array(rows)
    records = ClassDraws(rows, 1, streams, "layer")(n, 5)
    assert rows[records].all(axis=0).any()  # they share the label that was drawn


def test_batches_differ():
    draws = ClassDraws(np.arange(100) % 10, 3, streams, "layer")
    assert len({tuple(draws(n, 12).tolist()) for n in range(50)}) == 50
