"""The layers of the hashing papers against the loops of their authors."""

import warnings

import numpy as np
import pytest
from layer_rows import build
from scipy.spatial.distance import cdist

from blobnet.check import assert_gradients

RNG = np.random.default_rng(11)


def authors_loop(codes, labels, margin, tradeoff, weight):
    """Loss and gradient of deep supervised hashing, pair by pair in the order of the authors' layer."""
    n, loss, pull, slope = len(codes), 0.0, 0.0, np.zeros(codes.shape)
    alpha, beta = weight / (n * (n - 1)), weight / n
    for i in range(n):
        for j in range(i + 1, n):
            difference = codes[i] - codes[j]
            distance = sum(d * d for d in difference)
            if labels.ndim > 1 and labels.shape[1] > 1:
                alike = sum(a * b for a, b in zip(labels[i], labels[j])) > 0
            else:
                alike = int(labels.reshape(-1)[i]) == int(labels.reshape(-1)[j])
            if alike:
                loss += distance
                slope[i] += alpha * difference
                slope[j] -= alpha * difference
            elif margin - distance > 0:
                loss += margin - distance
                slope[i] -= alpha * difference
                slope[j] += alpha * difference
        for k, element in enumerate(codes[i]):
            up = element >= 1 or -1 <= element <= 0
            slope[i, k] += beta * tradeoff * (1 if up else -1)
            pull += abs(abs(element) - 1)
    return loss / (n * (n - 1)) + tradeoff * pull / n, slope


def hashing(codes, labels, options, weight=1.0):
    return build("HashingLoss", [codes, labels], f"loss_weight: {weight} hashing_loss_param {{ {options} }}")


def labels_of(kind, n):
    if kind == "multi":
        return (RNG.random((n, 5)) < 0.3).astype(float)
    return RNG.integers(0, 3, n)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize(("n", "bits", "margin", "tradeoff", "weight"), [
    (2, 3, 6, 0.01, 1), (8, 12, 24, 0.01, 1), (8, 12, 3, 0.5, 0.25), (17, 4, 1, 0, 2), (17, 4, 100, 0.1, 1)])
def test_hashing_loss_is_the_authors(kind, n, bits, margin, tradeoff, weight):
    codes, labels = RNG.normal(size=(n, bits)), labels_of(kind, n)
    alone = hashing(codes, labels, f"bi_margin: {margin} tradeoff: {tradeoff}", weight)
    want, slope = authors_loop(codes, labels, margin, tradeoff, weight)
    assert alone.forward()[0] == pytest.approx(want, rel=1e-6)  # options are float32
    np.testing.assert_allclose(alone.backward([np.array(float(weight))], [True, False])[0], slope, rtol=1e-6, atol=1e-9)


def test_codes_may_have_spatial_axes_and_labels_a_column():
    codes, labels = RNG.normal(size=(6, 4, 1, 1)), RNG.integers(0, 2, (6, 1, 1, 1))
    alone = hashing(codes, labels, "bi_margin: 8")
    want, slope = authors_loop(codes[:, :, 0, 0], labels[:, :, 0, 0], 8, 0.01, 1)
    assert alone.forward()[0] == pytest.approx(want)
    (dx, _) = alone.backward([np.array(1.0)], [True, False])
    np.testing.assert_allclose(dx[:, :, 0, 0], slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_published_pair_term_is_half_the_derivative(kind):
    codes, labels = RNG.normal(size=(9, 5)), labels_of(kind, 9)
    slopes = {}
    for gradient in ("PUBLISHED", "EXACT"):
        for tradeoff in (0, 0.3):
            alone = hashing(codes, labels, f"bi_margin: 10 tradeoff: {tradeoff} gradient: {gradient}")
            alone.forward()
            slopes[gradient, tradeoff] = alone.backward([np.array(1.0)], [True, False])[0]
    np.testing.assert_allclose(slopes["EXACT", 0], 2 * slopes["PUBLISHED", 0], rtol=1e-12)
    difference = slopes["EXACT", 0.3] - slopes["PUBLISHED", 0.3]  # the pull is in both
    np.testing.assert_allclose(difference, slopes["PUBLISHED", 0], rtol=1e-9, atol=1e-12)
    assert_gradients(alone.layer.param, codes, labels)
    step = 1e-6  # the loss along a line through the pair term alone
    along = [hashing(codes * (1 + sign * step), labels, "bi_margin: 10 tradeoff: 0").forward()[0] for sign in (1, -1)]
    assert (along[0] - along[1]) / (2 * step) == pytest.approx(2 * (slopes["PUBLISHED", 0] * codes).sum(), rel=1e-6)


@pytest.mark.parametrize(("element", "slope"), [
    (0.0, 1), (-0.0, 1), (1.0, 1), (-1.0, 1), (0.5, -1), (-0.5, 1), (2.0, 1), (-2.0, -1),
    (1e-12, -1), (-1 - 1e-12, -1)])
def test_pull_of_an_element(element, slope):
    codes = np.full((4, 3), element)  # equal rows: no pull between them
    alone = hashing(codes, [1, 1, 1, 1], "bi_margin: 6 tradeoff: 0.5")
    assert alone.forward()[0] == pytest.approx(0.5 * 3 * abs(abs(element) - 1), abs=1e-12)
    np.testing.assert_allclose(alone.backward([np.array(1.0)], [True, False])[0], np.full((4, 3), slope * 0.5 / 4))


def test_pairs_at_the_margin_do_not_push():
    alone = hashing(np.array([[1.0, 0.0], [-1.0, 0.0]]), [0, 1], "bi_margin: 4 tradeoff: 0")
    assert alone.forward()[0] == 0
    assert not alone.backward([np.array(1.0)], [True, False])[0].any()


@pytest.mark.parametrize("kind", ["PUBLISHED", "EXACT"])
def test_one_image_has_no_pairs(kind):
    alone = hashing([[0.5, -2.0]], [1], f"bi_margin: 4 tradeoff: 0.25 gradient: {kind}")
    assert np.isnan(alone.forward()[0])
    np.testing.assert_array_equal(alone.backward([np.array(1.0)], [True, False])[0], [[-0.25, -0.25]])


@pytest.mark.parametrize("kind", ["PairwiseLoss", "LiftedStructSimilaritySoftmaxLoss"])
@pytest.mark.parametrize("labels", [[1], [[0, 1, 1]]])
def test_losses_of_no_pairs_are_0(kind, labels):
    alone = build(kind, [[[0.5, -2.0]], labels], "pairwise_param { weighted: true }" if kind == "PairwiseLoss" else "")
    assert alone.forward()[0] == 0
    assert not alone.backward([np.array(1.0)], [True, False])[0].any()


def test_an_unusual_margin_warns_once():
    codes, labels = RNG.normal(size=(4, 3)), np.arange(4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        alone = hashing(codes, labels, "bi_margin: 5")
        for rows in (4, 4, 3, 4):
            alone.values = [codes[:rows], labels[:rows]]
            alone.forward()
            alone.backward([np.array(1.0)], [True, False])
    assert len(caught) == 1
    assert "layer 'it' (HashingLoss): bi_margin is 5; the paper uses twice the code length, 6" in str(caught[0].message)
    hashing(codes, labels, "bi_margin: 6")  # warnings are errors here


@pytest.mark.parametrize("shape", [(5, 4), (5, 2, 3), (1, 1), (5, 4, 1, 1)])
def test_similarities(shape):
    a, b = RNG.normal(size=shape), RNG.normal(size=shape)
    rows = a.reshape(len(a), -1), b.reshape(len(b), -1)
    dot, euclid = (build(f"{kind}Similarity", [a, b]) for kind in ("DotProduct", "Euclidean"))
    np.testing.assert_allclose(dot.forward()[0], np.diag(rows[0] @ rows[1].T).reshape(-1, 1, 1, 1))
    np.testing.assert_allclose(euclid.forward()[0], -np.diag(cdist(*rows, "sqeuclidean")).reshape(-1, 1, 1, 1) / 2)
    dy = RNG.normal(size=(len(a), 1, 1, 1))
    for n in range(len(a)):
        np.testing.assert_allclose(dot.backward([dy], [True, True])[0][n], dy[n, 0, 0, 0] * b[n])
        np.testing.assert_allclose(euclid.backward([dy], [True, True])[1][n], dy[n, 0, 0, 0] * (a[n] - b[n]))


def ranking(p, q, options="", weight=1.0):
    return build("PairwiseRankingLoss", [p, q], f"loss_weight: {weight} triplet_loss_param {{ {options} }}")


@pytest.mark.parametrize(("margin", "weight"), [(1, 1), (0.5, 3), (0, 1)])
def test_pairwise_ranking(margin, weight):
    p, q = RNG.normal(size=(7, 1, 1, 1)), RNG.normal(size=(7, 1, 1, 1))
    terms = [max(0.0, margin - x + y) for x, y in zip(p.ravel(), q.ravel())]
    violated = np.array([term > 0 for term in terms]).reshape(p.shape)
    published = ranking(p, q, f"margin: {margin}", weight)
    exact = ranking(p, q, f"margin: {margin} gradient: EXACT", weight)
    assert published.forward()[0] == exact.forward()[0] == pytest.approx(sum(terms) / 7)
    dp, dq = published.backward([np.array(float(weight))], [True, True])
    assert np.array_equal(dp, -1.0 * violated)
    assert np.array_equal(dq, 1.0 * violated)
    dp, dq = exact.backward([np.array(float(weight))], [True, True])
    np.testing.assert_allclose(dp, -1.0 * violated * weight / 7)
    np.testing.assert_allclose(dq, violated * weight / 7)
    assert_gradients(exact.layer.param, p, q)


@pytest.mark.parametrize(("options", "dp"), [
    ("", [-1, -1, -1, 0]), ("sample: true", [-1, 0, 0, 0]), ("sample: true gradient: EXACT", [-0.25, -0.25, -0.25, 0])])
def test_pairwise_ranking_of_samples_ranked_right(options, dp):
    alone = ranking(np.array([1.0, -1, 2, 5]), np.array([0.5, 0, 2, 1]), options)
    assert alone.forward()[0] == pytest.approx((0.5 + 2 + 1) / 4)
    found = alone.backward([np.array(1.0)], [True, True])
    np.testing.assert_array_equal(found[0], dp)
    np.testing.assert_array_equal(found[1], np.negative(dp))


def test_pairwise_ranking_on_the_margin_is_no_violation():
    alone = ranking(np.array([[2.0], [2.5]]), np.array([[1.0], [1.0]]))
    assert alone.forward()[0] == 0
    assert not any(diff.any() for diff in alone.backward([np.array(1.0)], [True, True]))
