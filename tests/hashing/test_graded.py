"""Graded measures against loops over every rank, and the average over all orders of equal distances."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.hashing import Codes, evaluate, get_protocol


def make(count, bits, seed, share=0.3) -> Codes:
    rng = np.random.default_rng(seed)
    return Codes.from_bits(rng.integers(0, 2, (count, bits)), labels=rng.random((count, 7)) < share)


def table(queries: Codes, base: Codes) -> list[list[tuple[int, int]]]:
    """For every query (distance, shared labels) of all items in index order."""
    def bits(codes):
        return [[row[k // 8] >> k % 8 & 1 for k in range(codes.bits)] for row in codes.packed.tolist()]

    return [[(sum(x != y for x, y in zip(query, item)), sum(x * y for x, y in zip(label, other)))
             for item, other in zip(bits(base), base.labels.tolist())]
            for query, label in zip(bits(queries), queries.labels.tolist())]


def ranked(items, ties="index") -> list[int]:
    order = {"index": lambda item: item[0], "best": lambda item: (item[0], -item[1]), "worst": lambda item: item}
    return [gain for _, gain in sorted(items, key=order[ties])]


def slow_dcg(gains) -> float:
    return sum((2 ** gain - 1) / math.log(1 + rank) for rank, gain in enumerate(gains, 1))


def slow_ndcg(gains, items, k) -> float:
    best = slow_dcg(sorted((gain for _, gain in items), reverse=True)[:k])
    return slow_dcg(gains[:k]) / best if best else 0.0


def slow_weighted_precision(gains, divisor, top, total) -> float:
    acg = [sum(gains[:rank]) / rank for rank in range(1, len(gains[:top]) + 1) if gains[rank - 1] > 0]
    by = total if divisor == "all" else len(acg)
    return sum(acg) / by if by else 0.0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["index", "best", "worst"]), st.sampled_from(["all", "found"]), st.integers(1, 8),
       st.integers(1, 15), st.integers(0, 30))
def test_every_measure_follows_its_definition(ties, divisor, bits, k, seed):
    queries, base = make(6, bits, seed), make(15, bits, seed + 100)
    queries.labels[1] = 0  # nothing is relevant to it
    protocol = get_protocol("weighted-mAP", ties=ties, divisor=divisor, top_k=9)
    score = evaluate(queries, base, protocol, k=k)
    rows = table(queries, base)
    rankings = [ranked(items, ties) for items in rows]
    assert score.cumulative_gain == pytest.approx(np.mean([sum(gains[:k]) / k for gains in rankings]))
    assert score.ndcg == pytest.approx(np.mean([slow_ndcg(gains, items, k) for gains, items in zip(rankings, rows)]))
    for got, gains in zip(score.average_precision, rankings):
        total = sum(gain > 0 for gain in gains)
        assert got == pytest.approx(slow_weighted_precision(gains, divisor, 9, total), abs=1e-12)
    assert score.precision == pytest.approx(np.mean([sum(gain > 0 for gain in gains[:k]) / k for gains in rankings]))


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_expected_ties_average_over_all_orders(k, seed):
    queries, base = make(4, 2, seed, 0.5), make(6, 2, seed + 50, 0.5)
    score = evaluate(queries, base, get_protocol("standard", ties="expected"), k=k)
    gain, ndcg = [], []
    for items in table(queries, base):
        groups = [list(group) for _, group in itertools.groupby(sorted(items), key=lambda item: item[0])]
        orders = [[shared for group in order for _, shared in group]
                  for order in itertools.product(*(itertools.permutations(group) for group in groups))]
        gain.append(np.mean([sum(order[:k]) / k for order in orders]))
        ndcg.append(np.mean([slow_ndcg(order, items, k) for order in orders]))
    assert score.cumulative_gain == pytest.approx(np.mean(gain)) and score.ndcg == pytest.approx(np.mean(ndcg))


def test_queries_that_do_not_count_are_left_out():
    queries, base = make(5, 4, 1), make(20, 4, 2)
    queries.labels[3] = 0
    zero, skip = (evaluate(queries, base, get_protocol("standard", without_relevant=without), k=6)
                  for without in ("zero", "skip"))
    assert skip.cumulative_gain == pytest.approx(zero.cumulative_gain * 5 / 4)
    assert skip.ndcg == pytest.approx(zero.ndcg * 5 / 4)


def test_the_best_order_has_a_ndcg_of_one_by_any_metric():
    values = np.arange(12.0)[:, None]
    labels = np.arange(6) < np.repeat([6, 4, 3, 1], 3)[:, None]  # the nearer to the query, the more labels it shares
    query = Codes.from_values([[0.0]], labels=np.ones((1, 6)))
    base = Codes.from_values(values, labels=labels)
    score = evaluate(query, base, get_protocol("standard", metric="l2"), k=8)
    assert score.ndcg == pytest.approx(1) and score.cumulative_gain == pytest.approx((18 + 12 + 6) / 8)
    assert f"ACG@8 4.5000, NDCG@8 {1:.4f}" in str(score)
    backwards = evaluate(query, Codes.from_values(values[::-1], labels=labels), get_protocol("standard", metric="l2"))
    assert backwards.ndcg < 0.9


def test_with_one_label_each_weighted_mean_average_precision_is_the_plain_one():
    rng = np.random.default_rng(3)
    queries, base = (Codes.from_bits(rng.integers(0, 2, (n, 6)), labels=np.eye(4)[rng.integers(0, 4, n)])
                     for n in (8, 30))
    plain = evaluate(queries, base, get_protocol("standard", top_k=10))
    weighted = evaluate(queries, base, get_protocol("weighted-mAP", top_k=10))
    np.testing.assert_allclose(weighted.average_precision, plain.average_precision)
    assert plain.cumulative_gain == pytest.approx(plain.precision)
