"""The discrete half steps of ADSH and DSDH: the papers' objectives by plain loops, and what lowers them."""

import itertools

import numpy as np
import pytest

from blobnet.hashing import adsh, dsdh

RNG = np.random.default_rng(5)
CLASSES = RNG.integers(0, 4, 30)
COLUMNS = RNG.integers(0, 2, (30, 5)) * RNG.integers(0, 2, (30, 5))


def signs(*shape):
    return RNG.integers(0, 2, shape) * 2.0 - 1


def alike(a, b):
    return a == b if np.ndim(a) == 0 else any(x and y for x, y in zip(a, b))


def by_loops(codes, rows, values, labels, gamma):
    """J(V) of the paper, pair by pair."""
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(codes))]
    similar = sum(alike(labels[rows[i]], labels[j]) for i, j in pairs)
    ratio = similar / (len(pairs) - similar)
    total = 0.0
    for i, j in pairs:
        s = 1 if alike(labels[rows[i]], labels[j]) else -ratio
        total += (sum(u * v for u, v in zip(values[i], codes[j])) - codes.shape[1] * s) ** 2
    return total + gamma * sum((v - u) ** 2 for i, row in enumerate(rows) for v, u in zip(codes[row], values[i]))


@pytest.mark.parametrize("labels", [CLASSES, COLUMNS], ids=["classes", "columns"])
@pytest.mark.parametrize("gamma", [0, 20])
def test_the_objective_of_adsh_by_loops(labels, gamma, monkeypatch):
    monkeypatch.setattr(adsh, "PIECE", 7)
    rows, codes = RNG.permutation(30)[:8], signs(30, 6)
    values = RNG.uniform(-1, 1, (8, 6))
    better, (before, after) = adsh.improve_codes(codes, rows, values, labels, gamma)
    assert before == pytest.approx(by_loops(codes, rows, values, labels, gamma), rel=1e-12)
    assert after == pytest.approx(by_loops(better, rows, values, labels, gamma), rel=1e-12)
    assert after < before and set(better.ravel()) == {-1, 1}


def test_one_bit_of_adsh_is_the_best():
    """With one bit, the step finds the best of all codes of an image, tried one by one."""
    rows, values = np.arange(6), RNG.uniform(-1, 1, (6, 1))
    better, (_, after) = adsh.improve_codes(signs(7, 1), rows, values, CLASSES[:7], 3)
    tried = [by_loops(np.array(codes)[:, None], rows, values, CLASSES[:7], 3)
             for codes in itertools.product([-1.0, 1.0], repeat=7)]
    assert after == pytest.approx(min(tried), rel=1e-12)


def test_the_objective_of_adsh_never_rises():
    codes, costs = signs(30, 8), []
    rows, values = RNG.permutation(30)[:12], RNG.uniform(-1, 1, (12, 8))
    for _ in range(6):
        codes, pair = adsh.improve_codes(codes, rows, values, CLASSES, 5)
        costs += pair
    assert all(b <= a * (1 + 1e-12) for a, b in zip(costs, costs[1:])) and costs[-1] < 0.95 * costs[0]


def test_codes_of_adsh_tell_classes():
    """From values that tell the classes, the database's codes do: equal within a class, far apart between classes."""
    own = signs(4, 16)
    codes, _ = adsh.improve_codes(signs(30, 16), np.arange(30), 0.9 * own[CLASSES], CLASSES, 10)
    same = CLASSES[:, None] == CLASSES
    products = codes @ codes.T
    assert products[same].min() > products[~same].max()


@pytest.mark.parametrize("labels", [CLASSES, COLUMNS], ids=["classes", "columns"])
def test_the_objective_of_dsdh_never_rises(labels):
    values, start = RNG.normal(size=(30, 6)), signs(30, 6)
    codes, history = dsdh.improve_codes(start, values, labels, mu=2, nu=30, eta=0.04)
    targets = labels if labels.ndim > 1 else labels[:, None] == np.arange(4)
    stacked = np.concatenate([2 ** 0.5 * start, 30 ** 0.5 * np.eye(6)])  # the best W as plain least squares
    wanted = np.concatenate([2 ** 0.5 * targets, np.zeros((6, targets.shape[1]))])
    left = np.linalg.lstsq(stacked, wanted, rcond=None)[1].sum()
    assert history[0] == pytest.approx(left + 0.04 * ((start - values) ** 2).sum(), rel=1e-12)
    assert set(codes.ravel()) == {-1, 1} and len(history) > 2
    assert all(b <= a * (1 + 1e-12) for a, b in zip(history, history[1:])) and history[-1] < history[0]


def test_the_objective_of_dsdh_by_loops():
    values, codes, mu, nu, eta = RNG.normal(size=(12, 3)), signs(12, 3), 3, 0.7, 0.2
    targets = np.array([[float(label == c) for c in range(4)] for label in CLASSES[:12]])
    weights = dsdh.regression(codes, targets, nu / mu)

    def by_loops(weights):
        errors = sum((targets[n, c] - sum(codes[n, k] * weights[k, c] for k in range(3))) ** 2
                     for n in range(12) for c in range(4))
        return (mu * errors + nu * sum(w * w for w in weights.ravel())
                + eta * sum((codes[n, k] - values[n, k]) ** 2 for n in range(12) for k in range(3)))

    assert dsdh.objective(codes, weights, values, targets, mu, nu, eta) == pytest.approx(by_loops(weights), rel=1e-12)
    for k, c in itertools.product(range(3), range(4)):  # the regression is a minimum
        for step in (1e-3, -1e-3):
            moved = weights.copy()
            moved[k, c] += step
            assert by_loops(moved) > by_loops(weights)


def test_eta_keeps_codes_near_the_values():
    values = RNG.normal(size=(30, 6))
    near, _ = dsdh.improve_codes(signs(30, 6), values, CLASSES, eta=1e6)
    np.testing.assert_array_equal(near, np.sign(values))
    told, _ = dsdh.improve_codes(np.sign(values), values, CLASSES, eta=1e-3)
    targets = (CLASSES[:, None] == np.arange(4)).astype(float)
    error = [((targets - codes @ dsdh.regression(codes, targets, 0.1)) ** 2).sum() for codes in (near, told)]
    assert error[1] < 0.7 * error[0]
