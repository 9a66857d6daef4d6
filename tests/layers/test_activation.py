"""Element-wise layers against formulas of scipy and of the math module."""

import math

import numpy as np
import pytest
from layer_rows import build
from scipy.special import expit

from blobnet.core.context import TEST
from blobnet.errors import NetError, ShapeError

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
    ("Power", "power_param { power: 0.5 scale: 0 shift: -2 }", lambda x: math.nan),
    ("Power", "power_param { power: -1 scale: 0 }", lambda x: math.inf),
    ("Power", "power_param { power: 40 scale: 0 shift: 1e30 }", lambda x: math.inf),
    ("AbsVal", "", lambda x: math.hypot(x, 0)),
    ("BNLL", "", lambda x: float(np.logaddexp(0, x))),
    ("Clip", "clip_param { min: -1.5 max: 0.5 }", lambda x: sorted([-1.5, x, 0.5])[1]),
    ("Clip", "clip_param { min: 2 max: -2 }", lambda x: 2.0),
    ("ELU", "", lambda x: x if x > 0 else math.expm1(x)),
    ("ELU", "elu_param { alpha: -0.5 }", lambda x: x if x > 0 else -0.5 * math.expm1(x)),
    ("Exp", "exp_param { scale: 0.0078125 }", lambda x: math.exp(x / 128)),
    ("Exp", "exp_param { scale: 0.0078125 shift: -3 }", lambda x: math.exp(x / 128 - 3)),
    ("Exp", "exp_param { base: 2 scale: 0.0078125 shift: 1.5 }", lambda x: math.pow(2, x / 128 + 1.5)),
    ("Exp", "exp_param { base: 1 shift: 9 }", lambda x: 1.0),
    ("Log", "log_param { scale: 0.0078125 shift: 20 }", lambda x: math.log(20 + x / 128)),
    ("Log", "log_param { base: 2 scale: 0.0078125 shift: 20 }", lambda x: math.log2(20 + x / 128)),
    ("Log", "log_param { base: 0.25 shift: 2000 }", lambda x: -math.log2(2000 + x) / 2),
    ("PReLU", "", lambda x: x if x > 0 else x / 4),
    ("PReLU", "prelu_param { filler { value: -3 } channel_shared: true }", lambda x: x if x > 0 else -3 * x),
    ("Swish", "", lambda x: x * float(expit(x))),
    ("Swish", "swish_param { beta: -0.5 }", lambda x: x * float(expit(-x / 2))),
    ("Threshold", "", lambda x: math.ceil(min(max(x, 0), 1))),
    ("Threshold", "threshold_param { threshold: -1 }", lambda x: float(x not in (-1000, -2.5, -1))),
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
    ("Power", "power_param { power: 0.5 scale: 0 shift: -2 }", 1.0, 0.0),
    ("AbsVal", "", -3.0, -1.0),
    ("AbsVal", "", 0.0, 0.0),
    ("BNLL", "", 0.0, 0.5),
    ("BNLL", "", 1000.0, 1.0),
    ("BNLL", "", -1000.0, 0.0),
    ("Clip", "clip_param { min: -0.5 max: 0.5 }", -0.5, 1.0),
    ("Clip", "clip_param { min: -0.5 max: 0.5 }", 0.5, 1.0),
    ("Clip", "clip_param { min: -0.5 max: 0.5 }", 0.75, 0.0),
    ("Clip", "clip_param { min: -0.5 max: 0.5 }", -0.75, 0.0),
    ("ELU", "elu_param { alpha: 0.5 }", 0.0, 0.5),
    ("ELU", "elu_param { alpha: 0.5 }", -1000.0, 0.0),
    ("Exp", "exp_param { base: 2 scale: 3 shift: 1 }", 0.0, 6 * math.log(2)),
    ("Log", "", 0.0, math.inf),
    ("Log", "log_param { base: 10 scale: 3 }", 0.5, 2 / math.log(10)),
    ("Swish", "swish_param { beta: 3 }", 0.0, 0.5),
    ("Swish", "", 1000.0, 1.0),
])
def test_slopes(kind, options, x, slope):
    alone = build(kind, [[x]], options)
    alone.forward()
    np.testing.assert_allclose(alone.backward([np.array([2.0])], [True])[0], [2 * slope], rtol=1e-6)


@pytest.mark.parametrize(("kind", "options", "x", "y", "dx"), [  # dy is 5: what Caffe makes of it in place
    ("BNLL", "", 0.0, math.log(2), 5 * 2 / 3),
    ("Clip", "clip_param { min: -1 max: 1 }", -7.0, -1.0, 5.0),
    ("ELU", "elu_param { alpha: -1 }", -1000.0, 1.0, 5.0),
    ("ELU", "", -1.0, math.expm1(-1), 5 * math.exp(-1)),
    ("Exp", "exp_param { scale: 2 }", 1.0, math.exp(2), 10 * math.exp(2)),
    ("Log", "log_param { scale: 0.5 shift: 1 }", 3.0, math.log(2.5), (0.5 / (1 + math.log(2.5) / 2)) ** 2),
    ("Swish", "", 1.0, float(expit(1)), 5 * float(expit(1) + expit(1) * expit(-1))),
    ("Threshold", "", 3.0, 1.0, None),
])
def test_in_place(kind, options, x, y, dx):
    alone = build(kind, [[x]], options, tops="x0")
    np.testing.assert_allclose(alone.forward()[0], [y])
    if dx is not None:
        np.testing.assert_allclose(alone.backward([np.array([5.0])], [True])[0], [dx])


@pytest.mark.parametrize(("kind", "options", "x", "y"), [
    ("Exp", "", 1000.0, math.inf),
    ("Exp", "exp_param { base: 10 shift: 60 scale: -60 }", 1.0, math.nan),  # not 1: the factor 10^60 is inf
    ("Log", "", 0.0, -math.inf),
    ("Log", "", -1.0, math.nan),
    ("Power", "power_param { power: 0.5 }", -1.0, math.nan),
    ("Power", "power_param { power: 30 }", 1e30, math.inf),
    ("Clip", "clip_param { min: -1 max: 1 }", math.nan, -1.0),
    ("Threshold", "", math.nan, 0.0),
    ("ReLU", "", math.nan, math.nan),
    ("PReLU", "", math.nan, math.nan),
    ("ELU", "", math.nan, math.nan),
    ("BNLL", "", -math.inf, 0.0),
])
def test_no_warning_where_numbers_end(kind, options, x, y):
    (got,) = build(kind, [np.full((1, 2), x)], options, dtype="float32").forward()
    np.testing.assert_array_equal(got, np.full((1, 2), y))


@pytest.mark.parametrize("tops", ["y", "x0"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (2, 4, 3, 5), (300, 4, 20, 30)])
def test_prelu(shape, shared, tops):
    rng = np.random.default_rng(0)
    x, dy, slopes = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=4)
    alone = build("PReLU", [x], f"prelu_param {{ channel_shared: {str(shared).lower()} }}", tops=tops)
    (slope,) = alone.parameters
    assert slope.shape == (() if shared else (4,)) and np.all(slope == 0.25)
    slope[...] = slopes[0] if shared else slopes
    (y,) = alone.forward()
    alone.layer.blobs[0].diff[...] = 100
    (dx,) = alone.backward([dy], [True])
    sums = []
    for c in range(4):
        a = slopes[0] if shared else slopes[c]
        below = x[:, c] < 0
        np.testing.assert_allclose(y[:, c], np.select([below, True], [a * x[:, c], x[:, c]]))
        np.testing.assert_allclose(dx[:, c], np.select([below, True], [a * dy[:, c], dy[:, c]]))
        sums.append(math.fsum((dy[:, c] * x[:, c])[below]))
    np.testing.assert_allclose(alone.layer.blobs[0].diff, 100 + (sum(sums) if shared else np.array(sums)))


def test_prelu_without_learning():
    alone = build("PReLU", [[[-1.0, 2.0]]])
    alone.layer.param_propagate_down[0] = False
    alone.forward()
    np.testing.assert_array_equal(alone.backward([np.ones((1, 2))], [True])[0], [[0.25, 1]])
    np.testing.assert_array_equal(alone.layer.blobs[0].diff, [0, 0])


@pytest.mark.parametrize("kind", ["ReLU", "Sigmoid", "TanH", "BNLL", "ELU", "Exp", "Swish", "AbsVal", "Power"])
def test_large_arrays_in_parts(kind):
    rng, count = np.random.default_rng(0), 300_001
    x, dy = rng.normal(size=(2, count))
    large = build(kind, [x])
    y, dx = large.forward()[0], large.backward([dy], [True])[0]
    for start in range(0, count, 60_000):
        small = build(kind, [x[start:start + 60_000]])
        np.testing.assert_allclose(small.forward()[0], y[start:start + 60_000], rtol=1e-14)
        np.testing.assert_allclose(small.backward([dy[start:start + 60_000]], [True])[0], dx[start:start + 60_000],
                                   rtol=1e-14)


@pytest.mark.parametrize(("kind", "shape", "options", "tops", "error", "part"), [
    ("AbsVal", (2, 3), "", "x0", NetError, "cannot work in place"),
    ("Clip", (2, 3), "", "y", NetError, "expected clip_param { min: … max: … }, got none"),
    ("Exp", (2, 3), "exp_param { base: 0 }", "y", NetError, "expected base above 0 and finite, or -1 for e, got 0.0"),
    ("Exp", (2, 3), "exp_param { base: -2 }", "y", NetError, "got -2.0"),
    ("Exp", (2, 3), "exp_param { base: inf }", "y", NetError, "got inf"),
    ("Exp", (2, 3), "exp_param { base: nan }", "y", NetError, "got nan"),
    ("Log", (2, 3), "log_param { base: 0 }", "y", NetError, "expected base above 0"),
    ("Log", (2, 3), "log_param { base: 1 }", "y", NetError, "expected a base other than 1, got base 1.0"),
    ("PReLU", (3,), "", "y", ShapeError, "expected 2 to 4 axes, channels on the second, got (3,)"),
    ("PReLU", (2, 3, 1, 1, 1), "", "y", ShapeError, "got (2, 3, 1, 1, 1)"),
    ("PReLU", (2, 3), 'prelu_param { channel_shared: true filler { type: "xavier" } }', "y", ShapeError, "got ()"),
    ("Dropout", (2, 3), "dropout_param { dropout_ratio: -0.5 }", "y", NetError, "0 <= dropout_ratio < 1, got -0.5"),
])
def test_refused(kind, shape, options, tops, error, part):
    with pytest.raises(error) as caught:
        build(kind, [np.ones(shape)], options, tops=tops)
    assert f"layer 'it' ({kind})" in str(caught.value) and part in str(caught.value)


def test_prelu_refuses_other_channels_later():
    alone = build("PReLU", [np.ones((2, 3))])
    alone.values = [np.ones((2, 4))]
    with pytest.raises(ShapeError, match="expected 3 channels, as the slopes have, got"):
        alone.forward()
    shared = build("PReLU", [np.ones((2, 3))], "prelu_param { channel_shared: true }")
    shared.values = [-np.ones((2, 4))]
    np.testing.assert_array_equal(shared.forward()[0], np.full((2, 4), -0.25))


def test_threshold_has_no_backward():
    alone = build("Threshold", [[1.0]])
    alone.forward()
    alone.backward([np.ones(1)], [False])
    with pytest.raises(NetError, match="has no backward"):
        alone.backward([np.ones(1)], [True])


def test_power_in_place_squares_its_slope():
    alone = build("Power", [[1.0, 2.0]], "power_param { scale: -3 }", tops="x0")
    alone.forward()
    np.testing.assert_array_equal(alone.backward([np.array([5.0, 7.0])], [True])[0], [9, 9])


def test_relu_in_place_judges_by_its_output():
    alone = build("ReLU", [[-2.0, 2.0]], "relu_param { negative_slope: -1 }", tops="x0")
    np.testing.assert_array_equal(alone.forward()[0], [2, 2])
    np.testing.assert_array_equal(alone.backward([np.ones(2)], [True])[0], [1, 1])


@pytest.mark.parametrize("ratio", [0, 0.1, 0.5, 0.8])
def test_dropout_in_training(ratio):
    x = np.arange(1.0, 20001)
    alone = build("Dropout", [x], f"dropout_param {{ dropout_ratio: {ratio} }}")
    (y,) = alone.forward()
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / (1 - ratio), rtol=1e-6)
    assert abs(kept.mean() - (1 - ratio)) <= 5 * math.sqrt(ratio * (1 - ratio) / x.size)
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


@pytest.mark.parametrize(("kind", "factor"), [("Sigmoid", lambda x: 1), ("Swish", lambda x: x)])
def test_small_values_keep_their_digits(kind, factor):
    """A tanh in float32 knows nothing below 3e-8."""
    x = np.array([-5, -10, -20, -80], "float32")
    (y,) = build(kind, [x], dtype="float32").forward()
    np.testing.assert_allclose(y, factor(x) * expit(x.astype(float)), rtol=3e-7)


def test_dropout_of_forks():
    x = np.arange(1.0, 7.0).reshape(2, 3)
    trained = build("Dropout", [x], "dropout_param { dropout_ratio: 0.25 scale_train: false }").forward()[0]
    assert set(np.ravel(trained / x)) <= {0.0, 1.0}
    tested = build("Dropout", [x], "dropout_param { dropout_ratio: 0.25 scale_train: false }", phase=TEST)
    assert np.array_equal(tested.forward()[0], 0.75 * x)
    sampled = build("Dropout", [np.ones(100)], "dropout_param { sample_weights_test: true }", phase=TEST)
    assert set(sampled.forward()[0]) == {0.0, 2.0}
