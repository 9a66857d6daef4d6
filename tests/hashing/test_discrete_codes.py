import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.hashing.discrete_codes import cyclic_descent, signs


def problem(seed, rows, bits, columns, weight):
    """Data, decoder, outputs, start and the cost of codes, a number a row."""
    rng = np.random.default_rng(seed)
    x, w, h = (rng.normal(size=shape) for shape in ((rows, columns), (columns, bits), (rows, bits)))

    def cost(b):
        return ((x - b @ w.T) ** 2).sum(axis=1) + weight * ((h - b) ** 2).sum(axis=1)

    return x, w, h, signs(rng.normal(size=(rows, bits))), cost


def descend(x, w, h, start, weight, **more):
    return cyclic_descent(start, x @ w + weight * h, w.T @ w, **more)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.floats(0, 10))
def test_no_bit_could_be_better(seed, rows, bits, columns, weight):
    x, w, h, start, cost = problem(seed, rows, bits, columns, weight)
    codes = descend(x, w, h, start, weight, sweeps=100)
    assert set(codes.ravel()) <= {-1.0, 1.0}
    assert (cost(codes) <= cost(start) + 1e-9).all()
    for bit in range(bits):
        other = codes.copy()
        other[:, bit] *= -1
        assert (cost(other) >= cost(codes) - 1e-9).all()


def test_every_sweep_lowers_the_cost():
    x, w, h, start, cost = problem(3, 200, 12, 20, 0.1)
    costs = [cost(start).sum()] + [cost(descend(x, w, h, start, 0.1, sweeps=n)).sum() for n in range(1, 8)]
    assert costs == sorted(costs, reverse=True)
    assert costs[1] < costs[0] and costs[2] < costs[1]
    kept = start.copy()
    descend(x, w, h, start, 0.1)
    np.testing.assert_array_equal(start, kept)


def test_independent_bits_reach_the_best_of_all():
    x, w, h, start, cost = problem(4, 30, 5, 9, 0.5)
    w, _ = np.linalg.qr(w)  # then the bits do not interact
    codes = descend(x, w, h, start, 0.5)
    every = np.array(list(itertools.product((-1.0, 1.0), repeat=5)))
    costs = ((x[:, None] - every @ w.T) ** 2).sum(-1) + 0.5 * ((h[:, None] - every) ** 2).sum(-1)
    np.testing.assert_array_equal(codes, every[costs.argmin(axis=1)])


def test_a_bit_that_does_not_matter_stays():
    start = np.array([[1.0, -1.0], [-1.0, 1.0]])
    np.testing.assert_array_equal(cyclic_descent(start, np.zeros((2, 2)), np.eye(2)), start)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_signs_have_no_zero(dtype):
    values = np.array([[-2.0, -0.0, 0.0, 1e-30]], dtype)
    assert signs(values).tolist() == [[-1, 1, 1, 1]]
    assert signs(values).dtype == dtype
