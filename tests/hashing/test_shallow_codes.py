"""Spectral hashing, hashing with kernels, discrete hashing: their central steps in loops, their order on digits."""

import itertools
import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from blobnet.errors import DataError, ShapeError
from blobnet.hashing import supervised_codes
from blobnet.hashing.anchors import Anchors, same_class, squared_distances
from blobnet.hashing.codes import Codes
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.kernel_codes import fit_ksh, residue
from blobnet.hashing.linear_codes import fit_lsh
from blobnet.hashing.metrics import mean_average_precision
from blobnet.hashing.spectral_codes import fit_spectral
from blobnet.hashing.supervised_codes import class_columns, fit_sdh

X, Y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X, Y, QUERIES, THEIRS = X[:900], Y[:900], X[900:1200], Y[900:1200]
RNG = np.random.default_rng(4)
SMALL, CLASSES = RNG.normal(size=(30, 4)), RNG.integers(3, size=30)
FITS = {"lsh": lambda data, labels, bits, seed: fit_lsh(data, bits, seed),
        "sh": lambda data, labels, bits, seed: fit_spectral(data, bits, seed),
        "ksh": lambda data, labels, bits, seed: fit_ksh(data, labels, bits, seed, 100),
        "sdh": lambda data, labels, bits, seed: fit_sdh(data, labels, bits, seed, 100)}


def score(name, bits, seed=1):
    encode = FITS[name](X, Y, bits, seed).encode
    return mean_average_precision(*(Codes.from_values(encode(values), labels=labels)
                                    for values, labels in ((QUERIES, THEIRS), (X, Y))))


def test_the_order_on_digits():
    """By classes: waves are better than random planes while there are few bits; what knows the classes is best."""
    planes = max(score("lsh", 8, seed) for seed in range(5))
    assert score("sh", 8) > planes + 0.05
    planes = max(score("lsh", 16, seed) for seed in range(5))
    assert min(score("ksh", 16), score("sdh", 16)) > planes + 0.2


@pytest.mark.parametrize("name", ["sh", "ksh", "sdh"])
def test_what_all_have_in_common(name):
    models = [FITS[name](X[:200], Y[:200], 6, seed) for seed in (1, 1, 2)]
    values = [model.encode(X) for model in models]
    assert values[0].shape == (900, 6) and values[0].dtype == np.float32
    np.testing.assert_array_equal(values[0], values[1])
    assert np.allclose(values[0], values[2]) == (name == "sh")
    np.testing.assert_allclose(models[0].encode(X[:7]), values[0][:7], atol=1e-5)


def test_waves_in_loops():
    """The smallest eigenvalues of all components and modes, and each bit from its sine, in plain Python."""
    data = RNG.normal(size=(200, 3)) @ np.diag([6, 2, 1])
    bits = 8
    _, _, axes = np.linalg.svd(data - data.mean(axis=0))
    values = (data - data.mean(axis=0)) @ axes.T
    least, most = values.min(axis=0), values.max(axis=0)
    modes = sorted(itertools.product(range(3), range(1, bits + 1)),
                   key=lambda pair: (pair[1] * math.pi / (most[pair[0]] - least[pair[0]])) ** 2)[:bits]
    assert len({component for component, _ in modes}) > 1 and max(mode for _, mode in modes) > 1
    expected = np.zeros((200, bits))
    for k, (component, mode) in enumerate(modes):
        for n, value in enumerate(values[:, component]):
            along = (value - least[component]) / (most[component] - least[component])
            expected[n, k] = math.sin(math.pi / 2 + mode * math.pi * along)
    found = fit_spectral(data, bits).encode(data)
    for k, (component, mode) in enumerate(modes):  # a component may point the other way: then odd modes change sign
        assert np.allclose(found[:, k], expected[:, k], atol=1e-8) \
            or np.allclose(found[:, k], (-1) ** mode * expected[:, k], atol=1e-8), (component, mode)


def test_more_bits_than_numbers_are_more_waves():
    assert fit_spectral(SMALL, 20).encode(SMALL).shape == (30, 20)
    with pytest.raises(ShapeError, match="3 dimensions"):
        fit_spectral(SMALL[:3], 3)


def test_anchors_in_loops():
    seen = Anchors(SMALL[:5], 1.5, one=True).see(SMALL)
    for n, x in enumerate(SMALL):
        for m, anchor in enumerate(SMALL[:5]):
            assert seen[n, m] == pytest.approx(math.exp(-sum((x - anchor) ** 2) / (2 * 1.5 ** 2)), rel=1e-9)
        assert seen[n, 5] == 1
    assert squared_distances(SMALL, SMALL).min() == 0


def test_pairs_are_never_made():
    """S values and R values against the matrices themselves."""
    values, earlier = RNG.normal(size=(30, 2)), signs(RNG.normal(size=(30, 3)))
    matrix = np.array([[1.0 if a == b else -1.0 for b in CLASSES] for a in CLASSES])
    np.testing.assert_allclose(same_class(CLASSES, values), matrix @ values, atol=1e-12)
    rest = 5 * matrix - sum(np.outer(bit, bit) for bit in earlier.T)
    np.testing.assert_allclose(residue(CLASSES, earlier, 5, values), rest @ values, atol=1e-12)


def test_each_bit_of_ksh_lowers_its_objective():
    """||1/K H H^T - S||^2, K bits in all, falls with each bit that there is, and lies below that of random ones."""
    codes = signs(fit_ksh(X[:300], Y[:300], 8, 1, 60).encode(X[:300]))
    matrix = np.where(Y[:300, None] == Y[:300], 1.0, -1.0)

    def cost(bits):
        return ((bits @ bits.T / 8 - matrix) ** 2).sum()

    costs = [cost(codes[:, :k]) for k in range(9)]
    assert all(after < before for before, after in zip(costs, costs[1:]))
    assert costs[-1] < 0.85 * costs[0] < cost(signs(RNG.normal(size=(300, 8))))


@pytest.mark.parametrize("seed", range(3))
def test_the_objective_of_sdh_never_rises(seed):
    features, targets = Anchors(X[:80], 1.5, one=True).see(X[:300]), class_columns(Y[:300])
    start = signs(np.random.default_rng(seed).normal(size=(300, 10)))
    rounds = list(supervised_codes.improve(features, targets, start, 6))
    values = [value for _, _, value in rounds]
    assert all(after <= before * (1 + 1e-12) for before, after in zip(values, values[1:]))
    assert values[-1] < 0.8 * values[0]
    assert set(rounds[-1][1].ravel()) == {-1.0, 1.0}


def test_a_round_of_sdh_in_loops(monkeypatch):
    """Ridge regressions by their normal equations, and every bit of every row tried both ways."""
    monkeypatch.setattr(supervised_codes, "FIT", 0.3)  # so that the kernel has a say
    features, targets = RNG.normal(size=(30, 6)), class_columns(CLASSES)
    codes = signs(RNG.normal(size=(30, 4)))
    (_, _, _), (projection, found, value) = supervised_codes.improve(features, targets, codes, 1)

    def ridge(x, y, decay):
        return np.linalg.inv(x.T @ x + decay * np.eye(x.shape[1])) @ x.T @ y

    weights, kernel = ridge(codes, targets, 1.0), ridge(features, codes, 0.01)
    best = codes.copy()
    for _ in range(10):
        for k in range(4):
            for n in range(30):
                costs = {}
                for bit in (1.0, -1.0):
                    row = best[n].copy()
                    row[k] = bit
                    fit = ((row - features[n] @ kernel) ** 2).sum()
                    costs[bit] = ((targets[n] - row @ weights) ** 2).sum() + 0.3 * fit
                best[n, k] = min(costs, key=costs.get)
    np.testing.assert_array_equal(found, best)
    kernel = ridge(features, best, 0.01)
    np.testing.assert_allclose(projection, kernel, atol=1e-10)
    weights = ridge(best, targets, 1.0)
    expected = ((targets - best @ weights) ** 2).sum() + (weights ** 2).sum() + 0.3 * (
        ((best - features @ kernel) ** 2).sum() + 0.01 * (kernel ** 2).sum())
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("fit", [fit_ksh, fit_sdh])
@pytest.mark.parametrize("anchors", [0, 31])
def test_too_many_anchors(fit, anchors):
    with pytest.raises(DataError, match=f"expected 1 to 30 anchors.*got {anchors}"):
        fit(SMALL, CLASSES, 4, 1, anchors)
