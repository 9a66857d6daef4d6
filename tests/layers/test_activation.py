"""Element-wise layers against formulas of scipy and of the math module."""

import math

import numpy as np
import pytest
from layer_cases import build
from scipy.special import expit

from blobnet.core.context import TEST

X = np.array([[-1000.0, -2.5, -1.0, -1e-9], [0.0, 1e-9, 0.7, 1000.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "options", "expected"), [
    ("ReLU", "", lambda x: x if x > 0 else 0.0),
    ("ReLU", "relu_param { negative_slope: 0.25 }", lambda x: x if x > 0 else x / 4),
    ("Sigmoid", "", lambda x: float(expit(x))),
    ("TanH", "", lambda x: 1 - 2 * float(expit(-2 * x))),
    ("Power", "power_param { shift: 3 scale: -0.5 }", lambda x: 3 - x / 2),
    ("Power", "power_param { power: 2 shift: 1 }", lambda x: 1 + 2 * x + x * x),
    ("Power", "power_param { power: 3 scale: 0.0078125 shift: 20 }", lambda x: math.pow(20 + x / 128, 3)),
    ("Power", "power_param { power: 0 }", lambda x: 1.0),
    ("Power", "power_param { power: 3 scale: 0 shift: 2 }", lambda x: 8.0),
])
def test_values(kind, options, expected, dtype):
    (y,) = build(kind, [X], options, dtype=dtype).forward()
    want = np.array([[expected(x) for x in row] for row in X.astype(dtype).tolist()])
    rtol, atol = (3e-6, 1e-7) if dtype == "float32" else (1e-12, 1e-12)
    np.testing.assert_allclose(y, want, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("kind", "options", "x", "slope"), [
    ("ReLU", "", 0.0, 0.0),
    ("ReLU", "relu_param { negative_slope: 0.25 }", 0.0, 0.25),
    ("ReLU", "relu_param { negative_slope: 0.25 }", -3.0, 0.25),
    ("Sigmoid", "", 0.0, 0.25),
    ("TanH", "", 0.0, 1.0),
    ("Sigmoid", "", 1000.0, 0.0),
    ("Power", "power_param { power: 2 }", 0.0, 0.0),
    ("Power", "power_param { power: 3 }", 0.0, math.nan),  # 0 / 0, as in Caffe
    ("Power", "power_param { power: 3 shift: 1 }", 0.0, 3.0),
])
def test_slopes(kind, options, x, slope):
    alone = build(kind, [[x]], options)
    alone.forward()
    np.testing.assert_allclose(alone.backward([np.array([2.0])], [True])[0], [2 * slope])


def test_power_in_place_squares_its_slope():
    alone = build("Power", [[1.0, 2.0]], "power_param { scale: -3 }", tops="x0")
    alone.forward()
    np.testing.assert_array_equal(alone.backward([np.array([5.0, 7.0])], [True])[0], [9, 9])


def test_relu_in_place_judges_by_its_output():
    alone = build("ReLU", [[-2.0, 2.0]], "relu_param { negative_slope: -1 }", tops="x0")
    np.testing.assert_array_equal(alone.forward()[0], [2, 2])
    np.testing.assert_array_equal(alone.backward([np.ones(2)], [True])[0], [1, 1])


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.8])
def test_dropout_in_training(ratio):
    x = np.arange(1.0, 20001)
    alone = build("Dropout", [x], f"dropout_param {{ dropout_ratio: {ratio} }}")
    (y,) = alone.forward()
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / (1 - ratio), rtol=1e-6)
    assert abs(kept.mean() - (1 - ratio)) < 5 * math.sqrt(ratio * (1 - ratio) / x.size)
    (dx,) = alone.backward([np.ones(x.size)], [True])
    np.testing.assert_allclose(dx, kept / (1 - ratio), rtol=1e-6)


def test_dropout_draws_anew_in_every_step_and_layer_seed():
    masks = []
    for seed, step in [(0, 0), (0, 1), (1, 0)]:
        alone = build("Dropout", [np.ones(100)], seed=seed)
        alone.layer.context.step = step
        masks.append(alone.forward()[0])
    assert not any(np.array_equal(masks[i], masks[j]) for i, j in [(0, 1), (0, 2), (1, 2)])


@pytest.mark.parametrize("tops", ["y", "x0"])
def test_dropout_in_testing_is_the_identity(tops):
    alone = build("Dropout", [X], tops=tops, phase=TEST)
    np.testing.assert_array_equal(alone.forward()[0], X)
    np.testing.assert_array_equal(alone.backward([X + 1], [True])[0], X + 1)
