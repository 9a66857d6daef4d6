"""The objective of ADSH, by the loops of the paper's equation, and what its loss refuses."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError, NetError, ShapeError

RNG = np.random.default_rng(4)
U, V = RNG.uniform(-1, 1, (6, 4)), RNG.integers(0, 2, (9, 4)) * 2.0 - 1


def by_loops(u, y, v, z, balanced):
    def alike(i, j):
        return y[i] == z[j] if y.ndim == 1 else any(a and b for a, b in zip(y[i], z[j]))

    pairs = [(i, j) for i in range(len(u)) for j in range(len(v))]
    similar = sum(alike(i, j) for i, j in pairs)
    unlike = -similar / (len(pairs) - similar) if balanced else -1
    return sum((sum(a * b for a, b in zip(u[i], v[j])) - u.shape[1] * (1 if alike(i, j) else unlike)) ** 2
               for i, j in pairs) / len(pairs)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(("y", "z"), [
    (RNG.integers(0, 3, 6), RNG.integers(0, 3, 9)), (RNG.integers(0, 2, (6, 3)), RNG.integers(0, 2, (9, 3)))],
    ids=["classes", "columns"])
def test_the_pairs_by_loops(y, z, balanced):
    options = f"loss_weight: 3 asymmetric_pair_param {{ balanced: {str(balanced).lower()} }}"
    alone = build("AsymmetricPairLoss", [U, y, V, z], options)
    assert alone.forward()[0] == pytest.approx(by_loops(U, y, V, z, balanced), rel=1e-12)
    slope = alone.backward([np.array(3.0)], [True, False, False, False])[0]
    for place in np.ndindex(U.shape):
        near = [U.copy(), U.copy()]
        near[0][place] += 1e-5
        near[1][place] -= 1e-5
        above, below = (by_loops(u, y, V, z, balanced) for u in near)
        assert slope[place] == pytest.approx(3 * (above - below) / 2e-5, rel=1e-6, abs=1e-6)


def test_codes_that_agree_cost_nothing():
    own = np.array([[1.0, 1, 1, 1], [-1, -1, -1, -1]])
    assert build("AsymmetricPairLoss", [own, [0, 1], own[[0, 1, 1]], [0, 1, 1]]).forward()[0] == 0


@pytest.mark.parametrize(("values", "error", "words"), [
    ([U, np.ones(5), V, np.ones(9)], ShapeError, r"a row of labels for each of 6 codes, got \(5,\)"),
    ([U, np.ones(6), V, np.ones(8)], ShapeError, r"a row of labels for each of 9 codes, got \(8,\)"),
    ([U, np.ones((6, 2)), V, np.ones(9)], ShapeError, r"as many columns in both, got \(6, 2\) and \(9,\)"),
    ([U, np.ones(6), V[:, :3], np.ones(9)], ShapeError, r"codes 'x2', expected codes of 4 elements, as 'x0' has"),
    ([U, np.ones(6), V], NetError, "expected 4 bottom blobs, got 3"),
    ([np.array(1.0), np.ones(6), V, np.ones(9)], ShapeError, r"expected codes \(N, ...\), got \(\)"),
])
def test_refused_shapes(values, error, words):
    with pytest.raises(error, match=words):
        build("AsymmetricPairLoss", values)


def test_refused_numbers():
    with pytest.raises(DataError, match="'x3' at .* a whole number"):
        build("AsymmetricPairLoss", [U, np.ones(6), V, np.full(9, 0.5)]).forward()
    alone = build("AsymmetricPairLoss", [U, np.ones(6), V, np.ones(9)])
    alone.forward()
    with pytest.raises(NetError, match="has no gradient for bottom 2 'x2'"):
        alone.backward([np.array(1.0)], [True, False, True, False])
