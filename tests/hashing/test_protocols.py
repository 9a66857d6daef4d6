"""The named protocols against loops that do what their authors' programs do."""

import dataclasses

import numpy as np
import pytest

from blobnet.errors import DataError
from blobnet.hashing import Codes, Neighbours, evaluate, get_protocol, list_protocols
from blobnet.hashing.pair import check_fit
from blobnet.hashing.protocols import PROTOCOLS

RNG = np.random.default_rng(12)
SIGNS = np.where(RNG.random((52, 5)) < 0.5, -1, 1)
LABELS = RNG.random((52, 9)) < 0.15
LABELS[3], LABELS[5] = 0, LABELS[40]
Q, N = 12, 40


def small(name: str, **changes):
    """The protocol for few queries: without the sizes of its data set, and with a shorter ranking."""
    return dataclasses.replace(get_protocol(name), num_queries=None, num_base=None, num_labels=None,
                               num_neighbours=None, **changes)


def codes(labels=LABELS):
    return [Codes.from_bits(SIGNS[part] > 0, labels=None if labels is None else labels[part])
            for part in (slice(0, Q), slice(Q, None))]


def rankings():
    """Items of the base by descending inner product with each query."""
    return [np.argsort(-(SIGNS[Q:] @ SIGNS[q]), kind="stable") for q in range(Q)]


def shared(q):
    return np.array([sum(LABELS[q] & LABELS[Q + item]) for item in range(N)])


@pytest.mark.parametrize("top", [2, 7])
def test_hashnet_leaves_out_queries_that_find_nothing(top):
    found = []
    for q, order in enumerate(rankings()):
        match = shared(q)[order[:top]] > 0
        if match.sum():
            found.append((np.cumsum(match) / np.arange(1, top + 1) * match).sum() / match.sum())
    assert len(found) < Q - 1  # besides the query without labels
    for name in ("nus-wide-81", "ms-coco", "imagenet-100"):
        score = evaluate(*codes(), small(name, top_k=top))
        assert score.mean_average_precision == pytest.approx(np.mean(found))
        assert np.isfinite(score.average_precision).sum() == len(found)


@pytest.mark.parametrize("name", ["nus-wide", "mAP@1000", "mAP@5000"])
def test_dpsh_and_greedyhash_count_them_as_zero(name):
    scores = []
    for q, order in enumerate(rankings()):
        ranks = np.flatnonzero(shared(q)[order[:7]]) + 1
        scores.append(np.mean(np.arange(1, len(ranks) + 1) / ranks) if len(ranks) else 0)
    assert 0 in scores
    assert evaluate(*codes(), small(name, top_k=7)).mean_average_precision == pytest.approx(np.mean(scores))


def test_dsrh_averages_the_cumulative_gains_at_relevant_ranks():
    scores = []
    for q, order in enumerate(rankings()):
        gains = shared(q)[order][:20]
        places = np.flatnonzero(gains > 0)
        scores.append(np.mean([gains[:place + 1].sum() / (place + 1) for place in places]) if len(places) else 0)
    assert max(shared(q).max() for q in range(Q)) > 1
    assert evaluate(*codes(), small("weighted-mAP", top_k=20)).mean_average_precision == pytest.approx(np.mean(scores))


def test_bdnn_takes_trapezoids_over_the_lists_of_neighbours():
    lists = [RNG.permutation(N)[:5] for _ in range(Q)]
    scores = []
    for near, order in zip(lists, rankings()):
        area, found = 0.0, 0
        for before, item in enumerate(order):
            if item in near:
                left = found / before if before else 1.0
                found += 1
                area += (left + found / (before + 1)) / 2 / len(near)
        scores.append(area)
    score = evaluate(*codes(None), small("bdnn-neighbours"), neighbours=Neighbours.of_lists(lists))
    np.testing.assert_allclose(score.average_precision, scores)
    plain = evaluate(*codes(None), get_protocol("neighbours"), neighbours=Neighbours.of_lists(lists))
    assert plain.mean_average_precision != pytest.approx(score.mean_average_precision, abs=1e-3)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_takes_the_sizes_it_names_and_no_others(name):
    protocol = get_protocol(name)
    num_queries, num_base = protocol.num_queries or 30, protocol.num_base or max(protocol.top_k or 0, 60)
    labels = {"labels": lambda n: np.zeros(n, int), "label-rows": lambda n: np.ones((n, protocol.num_labels or 2)),
              "neighbours": lambda n: None}[protocol.relevance]
    queries, base = (Codes(np.zeros((n, 1), np.uint8), 8, labels=labels(n)) for n in (num_queries, num_base))
    if protocol.query_in_database:
        assert check_fit(queries, None, protocol) is queries
        return
    lists = None if labels(1) is not None else \
        Neighbours.of_lists([np.arange(protocol.num_neighbours or 3)] * num_queries)
    assert check_fit(queries, base, protocol, lists) is base
    less = [Codes(codes.packed[1:], 8, labels=None if lists else codes.labels[1:]) for codes in (queries, base)]
    for asked, searched, limited in ((less[0], base, protocol.num_queries),
                                     (queries, less[1], protocol.num_base or protocol.top_k)):
        if limited:
            with pytest.raises(DataError, match=f"protocol '{name}'.*expected .*{limited}|top_k up to {limited - 1}"):
                check_fit(asked, searched, protocol, lists)
        else:
            check_fit(asked, searched, protocol, lists)
    if protocol.num_labels:
        with pytest.raises(DataError, match=f"expected rows of {protocol.num_labels} labels, got rows of 3"):
            check_fit(dataclasses.replace(queries, labels=np.ones((num_queries, 3))), base, protocol)


def test_splits_and_protocols_have_one_name():
    assert {"cifar10-I", "cifar10-II", "cifar10-59000", "nus-wide", "imagenet-100", "ms-coco"} <= set(list_protocols())


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_sentence_says_the_sizes(name):
    protocol = get_protocol(name)
    sentence = protocol.describe().replace(",", "")
    for size in (protocol.num_queries, protocol.num_base, protocol.num_labels, protocol.top_k):
        assert size is None or str(size) in sentence
    assert protocol.paper or name in ("standard", "neighbours")


def test_no_query_that_finds_anything_is_no_mean():
    queries = Codes.from_bits(np.zeros((2, 4)), labels=np.ones((2, 2)))
    base = Codes.from_bits([[0, 0, 0, 0], [1, 1, 1, 1]], labels=[[0, 0], [1, 0]])
    with pytest.raises(DataError, match="no query finds a relevant item among the first 1"):
        evaluate(queries, base, small("ms-coco", top_k=1))
    assert evaluate(queries, base, small("ms-coco", top_k=2)).mean_average_precision == 0.5
