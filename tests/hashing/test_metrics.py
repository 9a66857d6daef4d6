"""Every metric against loops that follow its definition, and against scikit-learn where the definitions coincide."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import (
    average_precision,
    curve_by_radius,
    curve_by_rank,
    evaluate,
    mean_average_precision,
    precision_at,
    precision_within,
)
from blobnet.hashing.protocol import get_protocol


def make(count, bits=6, classes=4, seed=0) -> Codes:
    rng = np.random.default_rng(seed)
    return Codes.from_bits(rng.integers(0, 2, (count, bits)), labels=rng.integers(0, classes, count))


def bit_rows(codes: Codes) -> list[list[int]]:
    return [[row[k // 8] >> k % 8 & 1 for k in range(codes.bits)] for row in codes.packed.tolist()]


def table(queries: Codes, base: Codes) -> list[list[tuple[int, bool]]]:
    """For every query (distance, is relevant) of all items in index order."""
    def relevant(a, b):
        return a == b if isinstance(a, int) else any(x and y for x, y in zip(a, b))

    return [[(sum(x != y for x, y in zip(query, item)), relevant(label, other))
             for item, other in zip(bit_rows(base), base.labels.tolist())]
            for query, label in zip(bit_rows(queries), queries.labels.tolist())]


def ranked(items, ties="index") -> list[bool]:
    order = {"index": lambda item: item[0], "best": lambda item: (item[0], not item[1]), "worst": lambda item: item}
    return [hit for _, hit in sorted(items, key=order[ties])]


def slow_average_precision(hits, divisor, top, total) -> float:
    found, score = 0, 0.0
    for rank, hit in enumerate(hits[:top], 1):
        if hit:
            found += 1
            score += found / rank
    by = total if divisor == "all" else found
    return score / by if by else 0.0


protocols = st.builds(dict, ties=st.sampled_from(["index", "best", "worst"]), divisor=st.sampled_from(["all", "found"]),
                      without_relevant=st.sampled_from(["zero", "skip"]), top_k=st.none() | st.integers(1, 12))


@settings(max_examples=80, deadline=None)
@given(protocols, st.integers(1, 9), st.integers(1, 5), st.integers(1, 30))
def test_average_precision_follows_its_definition(choices, bits, classes, seed):
    queries, base = make(8, bits, classes, seed), make(12, bits, classes, seed + 1)
    base.labels[0] = queries.labels[0]
    queries.labels[1] = classes  # nothing in the base is relevant to it
    got = average_precision(queries, base, get_protocol("standard", **choices))
    for score, items in zip(got, table(queries, base)):
        total = sum(hit for _, hit in items)
        if not total and choices["without_relevant"] == "skip":
            assert np.isnan(score)
        else:
            hits = ranked(items, choices["ties"])
            expected = slow_average_precision(hits, choices["divisor"], choices["top_k"], total)
            assert score == pytest.approx(expected, abs=1e-12)


def orders(items):
    """All orders of the items that keep the distances ascending."""
    groups = [list(group) for _, group in itertools.groupby(sorted(items), key=lambda item: item[0])]
    for combination in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [hit for group in combination for _, hit in group]


@pytest.mark.parametrize("top", [None, 1, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_expected_ties_average_over_all_orders(top, seed):
    queries, base = make(3, 2, 2, seed), make(6, 2, 2, seed + 50)
    protocol = get_protocol("standard", ties="expected", top_k=top, divisor="all")
    scores, curve = average_precision(queries, base, protocol), curve_by_rank(queries, base, protocol)
    at = precision_at(queries, base, 4, protocol)
    mean_at, recall_after = [], []
    for score, items in zip(scores, table(queries, base)):
        total = sum(hit for _, hit in items)
        rankings = list(orders(items))
        assert score == pytest.approx(np.mean([slow_average_precision(hits, "all", top, total) for hits in rankings]))
        mean_at.append(np.mean([sum(hits[:4]) / 4 for hits in rankings]))
        recall_after.append(np.mean([np.cumsum(hits[:top]) / max(total, 1) for hits in rankings], axis=0))
    assert at == pytest.approx(np.mean(mean_at))
    np.testing.assert_allclose(curve[0], np.mean(recall_after, axis=0), atol=1e-12)


@given(st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_the_expectation_lies_between_worst_and_best(seed):
    queries, base = make(6, 4, 3, seed), make(40, 4, 3, seed + 1)
    worst, index, expected, best = (mean_average_precision(queries, base, get_protocol("standard", ties=ties))
                                    for ties in ("worst", "index", "expected", "best"))
    assert worst <= index <= best and worst <= expected + 1e-12 and expected <= best + 1e-12


@pytest.mark.parametrize("bits", [12, 130, 300])
def test_scikit_learn_agrees_where_no_distances_are_equal(bits):
    rng = np.random.default_rng(bits)
    steps = rng.permutation(bits)[:12] + 1  # item i has that many ones: all distances to zero differ
    base = Codes.from_bits(np.arange(bits) < steps[:, None], labels=rng.integers(0, 2, 12))
    queries = Codes.from_bits(np.zeros((2, bits)), labels=[0, 1])
    for label, score in enumerate(average_precision(queries, base)):
        assert score == pytest.approx(average_precision_score(base.labels == label, -steps))
    for ties in ("expected", "best", "worst"):
        protocol = get_protocol("standard", ties=ties)
        assert np.allclose(average_precision(queries, base, protocol), average_precision(queries, base))


def test_dsh_authors_rank_the_test_images_against_themselves():
    codes = make(30, 5, 3)
    got = average_precision(codes, protocol=get_protocol("dsh-authors"))
    signs = np.array(bit_rows(codes)) * 2 - 1
    for q, score in enumerate(got):  # their script sorts -B B' and divides by the relevant items, the query among them
        order = np.argsort(-signs @ signs[q], kind="stable")
        ranks = np.flatnonzero(codes.labels[order] == codes.labels[q]) + 1
        assert score == pytest.approx(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    again = Codes(codes.packed.copy(), codes.bits, labels=codes.labels)
    assert np.array_equal(got, average_precision(codes, again, get_protocol("dsh-authors")))


def test_rows_of_labels_are_relevant_when_they_share_one():
    rng = np.random.default_rng(3)
    queries, base = (Codes.from_bits(rng.integers(0, 2, (n, 6)), labels=rng.random((n, 70)) < 0.03) for n in (9, 25))
    hits = [[hit for _, hit in items] for items in table(queries, base)]
    assert 0 < np.mean(hits) < 1
    for score, items in zip(average_precision(queries, base), table(queries, base)):
        assert score == pytest.approx(slow_average_precision(ranked(items), "all", None, sum(hit for _, hit in items)))


@pytest.mark.parametrize("without", ["zero", "skip"])
@pytest.mark.parametrize("ties", ["index", "best", "worst"])
def test_precision_and_curves_follow_their_definitions(ties, without):
    queries, base = make(10, 6, 3, 5), make(21, 6, 3, 6)
    queries.labels[2] = 7
    protocol = get_protocol("standard", ties=ties, without_relevant=without)
    rows = [items for items in table(queries, base) if without == "zero" or any(hit for _, hit in items)]
    assert len(rows) == (10 if without == "zero" else 9)
    for k in (1, 5, 21):
        expected = sum(sum(ranked(items, ties)[:k]) / k for items in rows) / len(rows)
        assert precision_at(queries, base, k, protocol) == pytest.approx(expected)
    for radius in (0, 1, 2, 6):
        precisions = []
        for items in rows:
            ball = [hit for distance, hit in items if distance <= radius]
            precisions.append(sum(ball) / len(ball) if ball else 0)
        assert radius or 0 in precisions
        assert precision_within(queries, base, radius, protocol) == pytest.approx(sum(precisions) / len(precisions))
    recall, precision = curve_by_radius(queries, base, protocol)
    pairs = [pair for items in rows for pair in items]
    for radius in range(7):
        ball = [hit for distance, hit in pairs if distance <= radius]
        assert recall[radius] == pytest.approx(sum(ball) / sum(hit for _, hit in pairs))
        assert precision[radius] == pytest.approx(sum(ball) / len(ball))
    recall, precision = curve_by_rank(queries, base, protocol)
    for rank in range(1, 22):
        found = [sum(ranked(items, ties)[:rank]) for items in rows]
        totals = [max(1, sum(hit for _, hit in items)) for items in rows]
        assert precision[rank - 1] == pytest.approx(sum(found) / rank / len(rows))
        assert recall[rank - 1] == pytest.approx(sum(f / t for f, t in zip(found, totals)) / len(rows))


def real_table(queries: Codes, base: Codes, metric: str) -> list[list[tuple[float, bool]]]:
    """As `table`, by a metric of real values."""
    def distance(a, b, bits):
        product = sum(x * y for x, y in zip(a, b))
        return {"inner-product": -product, "l2": math.dist(a, b),
                "cosine": 1 - product / (math.hypot(*a) * math.hypot(*b) or 1),
                "asymmetric": -sum(x if bit else -x for x, bit in zip(a, bits))}[metric]

    return [[(round(distance(a, b, bits), 5), label == other)
             for b, bits, other in zip(base.values.tolist(), bit_rows(base), base.labels.tolist())]
            for a, label in zip(queries.values.tolist(), queries.labels.tolist())]


@settings(max_examples=60, deadline=None)
@given(protocols, st.sampled_from(["l2", "inner-product", "asymmetric", "cosine"]), st.integers(1, 30))
def test_rankings_of_real_values_follow_the_same_definitions(choices, metric, seed):
    rng = np.random.default_rng(seed)  # small whole numbers: many equal distances
    queries, base = (Codes.from_values(rng.integers(-2, 3, (n, 3)), labels=rng.integers(0, 3, n)) for n in (6, 12))
    base.labels[0] = queries.labels[0]
    protocol = get_protocol("standard", metric=metric, **choices)
    score, top = evaluate(queries, base, protocol, k=4), choices["top_k"]
    at, found = [], []
    for got, items in zip(score.average_precision, real_table(queries, base, metric)):
        total = sum(hit for _, hit in items)
        if not total and choices["without_relevant"] == "skip":
            assert np.isnan(got)
            continue
        rankings = [ranked(items, choices["ties"])] if choices["ties"] != "expected" else \
            [[hit for _, hit in sorted(rng.permutation(np.array(items, "f8,?")).tolist(), key=lambda item: item[0])]
             for _ in range(3)]
        if choices["ties"] != "expected":
            assert got == pytest.approx(slow_average_precision(rankings[0], choices["divisor"], top, total), abs=1e-12)
            at.append(sum(rankings[0][:4]) / 4)
        found.append(sum(rankings[0][:top]))
    if at:
        assert score.precision == pytest.approx(np.mean(at))
    if choices["ties"] != "expected" or top is None:
        assert score.by_rank[1][-1] * (top or 12) == pytest.approx(np.mean(found))
    assert score.by_radius is None and score.precision_within is None and "P(r<=" not in str(score)


@pytest.mark.parametrize("top", [None, 4])
def test_expected_ties_of_real_values_are_those_of_distances_in_bits(top):
    rng = np.random.default_rng(1)
    queries, base = (Codes.from_values(rng.choice([-1, 1], (n, 6)), labels=rng.integers(0, 3, n)) for n in (8, 30))
    scores = [evaluate(queries, base, get_protocol("standard", metric=metric, ties="expected", divisor="all",
                                                   top_k=top)) for metric in ("hamming", "l2", "asymmetric")]
    for score in scores[1:]:  # of values -1 and 1 all of them rank alike
        assert score.mean_average_precision == pytest.approx(scores[0].mean_average_precision)
        np.testing.assert_allclose(score.by_rank, scores[0].by_rank)


def test_no_pair_within_the_smallest_radii_is_full_precision():
    base, queries = Codes.from_bits(np.ones((3, 4)), labels=[0, 0, 1]), Codes.from_bits(np.zeros((1, 4)), labels=[0])
    recall, precision = curve_by_radius(queries, base)
    assert precision.tolist() == [1, 1, 1, 1, pytest.approx(2 / 3)] and recall.tolist() == [0, 0, 0, 0, 1]


def test_more_than_255_bits_and_doubled_keys_do_not_wrap():
    rng = np.random.default_rng(0)
    base = Codes.from_bits(rng.random((40, 400)) < rng.random((40, 1)), labels=np.arange(40) % 2)
    queries = Codes.from_bits(np.zeros((2, 400)), labels=[0, 1])
    for ties in ("index", "best", "worst"):
        got = average_precision(queries, base, get_protocol("standard", ties=ties))
        for score, items in zip(got, table(queries, base)):
            assert score == pytest.approx(slow_average_precision(ranked(items, ties), "all", None, 20))


def test_scores_do_not_depend_on_the_number_of_threads(monkeypatch):
    queries, base = make(50, 16, 5, 1), make(700, 16, 5, 2)
    several = evaluate(queries, base)
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "1")
    single = evaluate(queries, base)
    assert several[:6] == single[:6]  # the numbers and the protocol
    for pair in zip(several[6:], single[6:]):
        np.testing.assert_array_equal(*pair)


def test_an_evaluation_prints_the_protocol_beside_the_numbers():
    queries, base = make(6), make(30, seed=1)
    score = evaluate(queries, base, get_protocol("standard", top_k=7))
    assert score.k == 7 and evaluate(queries, base).k == 30
    assert str(score).startswith("mAP 0.") and "P@7" in str(score) and score.protocol.describe() in str(score)


@pytest.mark.parametrize("call, error, words", [
    (lambda q, b: mean_average_precision(q), DataError, "base apart from the queries.*dsh-authors"),
    (lambda q, b: mean_average_precision(q, q), DataError, "base apart from the queries"),
    (lambda q, b: mean_average_precision(q, b, get_protocol("dsh-authors")), DataError, "a base that is the queries"),
    (lambda q, b: mean_average_precision(q, b, get_protocol("standard", top_k=21)), DataError, "top_k up to 20"),
    (lambda q, b: precision_within(q, b, 2, get_protocol("standard", metric="l2")), DataError, "'hamming'.* got 'l2'"),
    (lambda q, b: curve_by_radius(q, b, get_protocol("standard", metric="l2")), DataError, "curve_by_rank goes with"),
    (lambda q, b: evaluate(q, b, get_protocol("standard", metric="l2")), DataError, "base have no real values"),
    (lambda q, b: mean_average_precision(make(5, 7), b), ShapeError, "6 bits"),
    (lambda q, b: mean_average_precision(make(0), b), DataError, "no queries"),
    (lambda q, b: precision_at(q, b, 21), DataError, "k from 1 to 20"),
    (lambda q, b: precision_at(q, b, 0), DataError, "k from 1 to 20"),
    (lambda q, b: precision_within(q, b, -1), DataError, "radius of 0"),
    (lambda q, b: mean_average_precision(Codes(q.packed, 6), b), DataError, "no labels on the queries"),
    (lambda q, b: mean_average_precision(q, Codes(b.packed, 6)), DataError, "no labels on the base"),
    (lambda q, b: mean_average_precision(Codes(q.packed, 6, labels=np.ones((5, 3))), b), ShapeError, "of one kind"),
    (lambda q, b: mean_average_precision(Codes(q.packed, 6, labels=np.full(5, 99)), b), DataError, "share their"),
])
def test_errors_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call(make(5), make(20, seed=1))
