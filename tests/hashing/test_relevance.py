"""What is relevant, by labels, rows of labels and lists of neighbours, against loops."""

import numpy as np
import pytest

from blobnet.errors import DataError, ShapeError
from blobnet.hashing import Codes, EuclideanIndex, Neighbours, evaluate, get_protocol
from blobnet.hashing.relevance import relevance_of

RNG = np.random.default_rng(8)
BITS = RNG.integers(0, 2, (37, 6))
QUERIES, BASE = slice(0, 7), slice(7, 37)
LISTS = [RNG.permutation(30)[:length] for length in (3, 0, 30, 1, 5, 5, 2)]


def pair(labels=None) -> tuple[Codes, Codes]:
    return tuple(Codes.from_bits(BITS[part], labels=None if labels is None else labels[part])
                 for part in (QUERIES, BASE))


CLASSES, ROWS = RNG.integers(-3, 4, 37) * 1000, (RNG.random((37, 70)) < 0.1).astype(int)


@pytest.mark.parametrize("labels, neighbours, gain", [
    (CLASSES, None, lambda query, item: CLASSES[query] == CLASSES[7 + item]),
    (ROWS, None, lambda query, item: sum(a and b for a, b in zip(ROWS[query], ROWS[7 + item]))),
    (None, Neighbours.of_lists(LISTS), lambda query, item: item in LISTS[query]),
], ids=["labels", "rows", "lists"])
def test_every_pair_is_as_relevant_as_its_definition_says(labels, neighbours, gain):
    relevance = relevance_of(*pair(labels), neighbours)
    expected = np.array([[int(gain(query, item)) for item in range(30)] for query in range(7)])
    assert 0 < (expected > 0).mean() < 1
    for start, stop in ((0, 7), (2, 5), (6, 7)):
        assert relevance.of(start, stop).tolist() == expected[start:stop].tolist()
    assert relevance.totals.tolist() == (expected > 0).sum(axis=1).tolist()
    if relevance.graded:
        assert expected.max() > 1
        assert relevance.levels.tolist() == [np.bincount(line, minlength=expected.max() + 1).tolist()
                                             for line in expected]


def test_more_than_255_shared_labels_do_not_wrap():
    queries, base = (Codes.from_bits(np.ones((1, 4)), labels=np.ones((1, 300))) for _ in range(2))
    assert relevance_of(queries, base).of(0, 1).tolist() == [[300]]


def test_lists_are_scored_as_labels_are_that_say_the_same():
    queries, base = pair(CLASSES)
    lists = Neighbours.of_lists([np.flatnonzero(base.labels == label)[::-1] for label in queries.labels])
    bare = [Codes(codes.packed, codes.bits) for codes in (queries, base)]
    for changes in ({}, {"top_k": 5}, {"ties": "expected"}, {"without_relevant": "skip"}):
        by_labels = evaluate(queries, base, get_protocol("standard", **changes), k=9)
        by_lists = evaluate(*bare, get_protocol("neighbours", **changes), k=9, neighbours=lists)
        np.testing.assert_array_equal(by_lists.average_precision, by_labels.average_precision)
        np.testing.assert_array_equal(by_lists.by_rank, by_labels.by_rank)
        assert by_lists[1:5] == by_labels[1:5] and by_lists.ndcg is None


def test_what_a_search_finds_says_what_is_relevant():
    values = np.random.default_rng(2).normal(size=(60, 5))
    queries, base = Codes.from_values(values[:10]), Codes.from_values(values[10:])
    near = EuclideanIndex(base).search(queries, top=4)
    score = evaluate(queries, base, get_protocol("neighbours", metric="l2"), k=4, neighbours=near)
    assert score.mean_average_precision == score.precision == 1
    assert evaluate(queries, base, get_protocol("neighbours"), k=4, neighbours=near).precision < 1


@pytest.mark.parametrize("lists, words", [
    (LISTS[:6], "a list of neighbours for each of 7 queries, got 6 lists"),
    ([*LISTS[:6], [30]], "from 0 to 29, got 30"),
    ([*LISTS[:6], [-1]], "from 0 to 29, got -1"),
    ([*LISTS[:6], [4, 9, 4]], "place 4 is twice in the list of query 6"),
    ([[]] * 7, "no query has a relevant item"),
])
def test_lists_that_are_not_of_this_pair_are_refused(lists, words):
    with pytest.raises(DataError, match=words):
        evaluate(*pair(), get_protocol("neighbours"), neighbours=Neighbours.of_lists(lists))


def test_the_protocol_says_what_it_needs():
    lists = Neighbours.of_lists(LISTS)
    for protocol, labels, given, words in (
            ("neighbours", CLASSES, None, "expected lists of neighbours, got none"),
            ("standard", CLASSES, lists, "expected labels alone, got lists of neighbours; protocol 'neighbours'"),
            ("standard", None, None, "no labels on the queries; protocol 'neighbours'"),
            ("bdnn-neighbours", None, lists, "expected 50 neighbours of each query, got 0 to 30")):
        with pytest.raises(DataError, match=words):
            evaluate(*pair(labels), get_protocol(protocol), neighbours=given)
    with pytest.raises(DataError, match="expected rows of labels, got class numbers"):
        evaluate(*pair(CLASSES), get_protocol("weighted-mAP", top_k=5))
    with pytest.raises(ShapeError, match="labels of one kind"):
        evaluate(pair(CLASSES)[0], pair(ROWS)[1])
