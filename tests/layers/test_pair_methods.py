"""The losses of DPSH, DTSH and IDHN, written out pair by pair and triplet by triplet from the papers."""

import math

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError, NetError, ShapeError

RNG = np.random.default_rng(17)
N, K = 9, 5


def draw(seed, columns):
    """Codes, labels (N,) or (N, columns), and for each row the set of its labels."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(N, K)) * 1.3
    if columns:
        labels = (rng.random((N, columns)) < 0.5) * 1
        labels[0], labels[1], labels[2] = labels[3], 0, 1  # equal rows, none, all
        return codes, labels, [{i for i, has in enumerate(row) if has} for row in labels]
    classes = rng.integers(0, 3, N)
    return codes, classes, [{c} for c in classes.tolist()]


def half_product(a, b):
    return sum(float(x) * float(y) for x, y in zip(a, b)) / 2


def dpsh(u, sets):
    """-log of the likelihood of the pairs, and the squared distance of the codes to their signs; both summed up."""
    likelihood = distance = 0
    for i in range(N):
        for j in range(i):
            theta = half_product(u[i], u[j])
            probability = 1 / (1 + math.exp(-theta))
            likelihood -= math.log(probability if sets[i] & sets[j] else 1 - probability)
        distance += sum((x - (1 if x >= 0 else -1)) ** 2 for x in u[i].tolist())
    return likelihood, distance


def dtsh(u, sets, alpha):
    """-log of the likelihood of each triplet."""
    found = []
    for q in range(N):
        for p in range(N):
            for n in range(N):
                if p != q and sets[q] & sets[p] and not sets[q] & sets[n]:
                    gap = half_product(u[q], u[p]) - half_product(u[q], u[n]) - alpha
                    found.append(-math.log(1 / (1 + math.exp(-gap))))
    return found


def idhn(u, sets, beta, gamma):
    """Cross-entropy of the pairs that share all labels or none, squares of the others."""
    found = []
    for i in range(N):
        for j in range(i):
            shared, product = len(sets[i] & sets[j]), 2 * half_product(u[i], u[j])
            if not shared or sets[i] == sets[j]:
                omega = beta * product / K
                found.append(math.log(1 + math.exp(omega)) - (shared > 0) * omega)
            else:
                s = shared / math.sqrt(len(sets[i]) * len(sets[j]))
                found.append(gamma * K * ((product + K) / (2 * K) - s) ** 2)
    return found


@pytest.mark.parametrize("seed, columns", [(1, 0), (2, 0), (3, 4)])
def test_dpsh_is_two_layers_that_were_there(seed, columns):
    """Means over pairs and over images; the paper has the sums."""
    codes, labels, sets = draw(seed, columns)
    pairs = build("PairwiseLoss", [codes, labels], "pairwise_param { weighted: false sigmoid_param: 0.5 }")
    signs = build("SignQuantizationLoss", [codes], "loss_weight: 3")
    likelihood, distance = dpsh(codes, sets)
    assert pairs.forward()[0] == pytest.approx(likelihood / (N * (N - 1) / 2), rel=1e-12)
    signs.forward()
    assert signs.layer.loss(signs.top) == pytest.approx(3 / 2 * distance / N, rel=1e-12)


@pytest.mark.parametrize("seed, columns", [(4, 0), (5, 0), (6, 3), (7, 6)])
@pytest.mark.parametrize("margin", [None, 0.0, 1.7])
def test_dtsh(seed, columns, margin):
    codes, labels, sets = draw(seed, columns)
    options = "" if margin is None else f"triplet_likelihood_param {{ margin: {margin} }}"
    loss = build("TripletLikelihoodLoss", [codes, labels], options).forward()[0]
    assert loss == pytest.approx(np.mean(dtsh(codes, sets, K / 2 if margin is None else margin)), rel=1e-6)


@pytest.mark.parametrize("kind", ["TripletLikelihoodLoss", "SoftPairwiseLoss"])
def test_far_codes_do_not_overflow(kind):
    codes = np.array([[1, 1], [-1, -1], [1, 1], [-1, -1]]) * 400.0
    alone = build(kind, [codes, [0, 0, 1, 1]])
    assert np.isfinite(alone.forward()[0])
    assert np.isfinite(alone.backward([np.array(1.0)], [True, False])[0]).all()


@pytest.mark.parametrize("labels", [np.zeros(N), np.arange(N), np.zeros((N, 3))],
                         ids=["one class", "all apart", "none"])
def test_without_triplets_nothing_is_lost(labels):
    alone = build("TripletLikelihoodLoss", [RNG.normal(size=(N, K)), labels])
    assert alone.forward()[0] == 0
    assert not alone.backward([np.array(1.0)], [True, False])[0].any()


@pytest.mark.parametrize("seed, columns", [(8, 0), (9, 3), (10, 4), (11, 6)])
@pytest.mark.parametrize("beta, gamma", [(5, 0.1), (0.5, 2)])
def test_idhn(seed, columns, beta, gamma):
    codes, labels, sets = draw(seed, columns)
    options = f"soft_pairwise_param {{ slope: {beta} soft_weight: {gamma} }}"
    loss = build("SoftPairwiseLoss", [codes, labels], options).forward()[0]
    assert loss == pytest.approx(np.mean(idhn(codes, sets, beta, gamma)), rel=1e-6)


def test_idhn_of_one_class_a_row_is_a_likelihood_of_pairs():
    codes, labels, _ = draw(12, 0)
    values = [build(kind, [codes, labels], options).forward()[0] for kind, options in (
        ("SoftPairwiseLoss", ""), ("PairwiseLoss", f"pairwise_param {{ weighted: false sigmoid_param: {5 / K} }}"))]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


X = np.ones((4, 3))


@pytest.mark.parametrize("kind", ["TripletLikelihoodLoss", "SoftPairwiseLoss"])
@pytest.mark.parametrize("values, error, parts", [
    ([X, np.ones(3)], ShapeError, "expected (4,) rows in both got (4, 3) and (3,)"),
    ([np.ones((0, 3)), np.ones(0)], ShapeError, "a batch of at least 1 got (0, 3)"),
    ([np.array(1.0), np.array(1.0)], ShapeError, "expected codes (N, ...) got ()"),
    ([X, [0, 1, 0.5, 1]], DataError, "'x1' expected a whole number got 0.5"),
])
def test_refused(kind, values, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values).forward()
    message, position = str(caught.value), 0
    assert message.startswith(f"layer 'it' ({kind}): ")
    for part in parts.split():
        position = message.index(part, position) + len(part)


@pytest.mark.parametrize("kind", ["TripletLikelihoodLoss", "SoftPairwiseLoss"])
def test_labels_have_no_gradient(kind):
    alone = build(kind, [X, [0, 0, 1, 1]])
    alone.forward()
    with pytest.raises(NetError, match="propagate"):
        alone.backward([np.array(1.0)], [True, True])
