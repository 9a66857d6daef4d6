import numpy as np
import pytest

from blobnet.core import fillers
from blobnet.core.fillers import fill
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

WEIGHTS = (40, 30, 5, 5)  # fan in 750, fan out 1000, their mean 875


def filled(text, shape=WEIGHTS, dtype="float64", seed=0):
    array = np.full(shape, np.nan, dtype)
    fill(array, parse(text, "FillerParameter"), np.random.default_rng(seed), "layer 'a'")
    return array


@pytest.mark.parametrize("text, mean, deviation", [
    ("", 0, 0),
    ("value: -2.5", -2.5, 0),
    ("type: 'uniform'", 0.5, 12 ** -0.5),
    ("type: 'uniform' min: -3 max: 1", -1, 4 / 12 ** 0.5),
    ("type: 'gaussian'", 0, 1),
    ("type: 'gaussian' mean: 2 std: 0.1", 2, 0.1),
    ("type: 'gaussian' mean: 3 std: 1e-6 sparse: 10", 3 / 4, 3 * (1 / 4 * 3 / 4) ** 0.5),  # 10 of 40 outputs
    ("type: 'xavier'", 0, 750 ** -0.5),
    ("type: 'xavier' variance_norm: FAN_OUT", 0, 1000 ** -0.5),
    ("type: 'xavier' variance_norm: AVERAGE", 0, 875 ** -0.5),
    ("type: 'msra'", 0, (2 / 750) ** 0.5),
    ("type: 'msra' variance_norm: FAN_OUT", 0, (2 / 1000) ** 0.5),
    ("type: 'msra' variance_norm: AVERAGE", 0, (2 / 875) ** 0.5),
    ("type: 'msra' scale: 3", 0, 3 * (2 / 750) ** 0.5),
    ("type: 'msra' alpha: 0.5", 0, (2 / 750 / 1.25) ** 0.5),  # a ReLU keeps (1 + alpha^2) / 2 of the variance
])
def test_moments(text, mean, deviation):
    values = filled(text)
    assert values.mean() == pytest.approx(mean, abs=4 * deviation / values.size ** 0.5)  # four standard errors
    assert values.std() == pytest.approx(deviation, rel=0.02, abs=1e-12)


@pytest.mark.parametrize("text, low, high", [
    ("type: 'uniform' min: -3 max: 1", -3, 1),
    ("type: 'xavier'", -(3 / 750) ** 0.5, (3 / 750) ** 0.5),
    ("type: 'positive_unitball'", 0, 1),
])
def test_bounds(text, low, high):
    values = filled(text)
    assert low <= values.min() and values.max() <= high


def test_xavier_fills_its_whole_range_evenly():
    values = filled("type: 'xavier'") / (3 / 750) ** 0.5
    counts, _ = np.histogram(values, 10, (-1, 1))
    assert counts.min() > 0.9 * values.size / 10


def test_fan_of_a_vector():
    """One axis: its elements are the outputs of one input each."""
    assert filled("type: 'msra'", (20000,)).std() == pytest.approx(2 ** 0.5, rel=0.02)
    assert filled("type: 'msra' variance_norm: FAN_OUT", (20000,)).std() == pytest.approx(0.01, rel=0.02)


def test_sparse_keeps_whole_values():
    values = filled("type: 'gaussian' mean: 5 std: 0.1 sparse: 4")
    assert set(np.unique(np.round(values))) == {0, 5}
    assert (filled("type: 'gaussian' sparse: 0") == 0).all()


def test_positive_unitball_rows_sum_to_one():
    values = filled("type: 'positive_unitball'")
    np.testing.assert_allclose(values.reshape(40, -1).sum(axis=1), 1)
    assert (values > 0).all()


@pytest.mark.parametrize("size, ramp", [
    (1, [1]), (2, [0.5, 0.5]), (3, [1 / 2, 1, 1 / 2]), (4, [1 / 4, 3 / 4, 3 / 4, 1 / 4]),
    (5, [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])])
def test_bilinear(size, ramp):
    values = filled("type: 'bilinear'", (2, 3, size, size))
    for y in range(size):
        for x in range(size):
            np.testing.assert_allclose(values[:, :, y, x], ramp[y] * ramp[x])


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])
def test_bilinear_upsampling_keeps_a_ramp(factor):
    """A deconvolution of stride f and kernel 2 f - f % 2 interpolates: straight lines stay straight."""
    size = 2 * factor - factor % 2
    kernel = filled("type: 'bilinear'", (1, 1, size, size))[0, 0]
    row = kernel[size // 2] / kernel[size // 2].max()
    row *= factor / row.sum()
    out = np.zeros(9 * factor + size)
    for i in range(10):
        out[i * factor:i * factor + size] += i * row
    steps = np.diff(out[size:-size])
    np.testing.assert_allclose(steps, 1 / factor)


def test_the_stream_decides():
    assert (filled("type: 'gaussian'") == filled("type: 'gaussian'")).all()
    assert (filled("type: 'gaussian'") != filled("type: 'gaussian'", seed=1)).all()


def test_values_are_rounded_to_the_dtype():
    values = filled("type: 'gaussian'", dtype="float32")
    np.testing.assert_array_equal(values, filled("type: 'gaussian'").astype("float32"))


@pytest.mark.parametrize("text, shape, error, words", [
    ("type: 'gausian'", WEIGHTS, NetError, ["layer 'a'", "unknown filler 'gausian'", "did you mean 'gaussian'?"]),
    ("type: 'xavier' sparse: 3", WEIGHTS, NetError, ["'xavier' cannot be sparse", "gaussian only"]),
    ("type: 'constant' sparse: 0", WEIGHTS, NetError, ["cannot be sparse"]),
    ("type: 'bilinear'", (3, 4, 4), ShapeError, ["four axes with a square kernel", "(3, 4, 4)"]),
    ("type: 'bilinear'", (1, 1, 4, 5), ShapeError, ["four axes with a square kernel", "(1, 1, 4, 5)"]),
    ("type: 'xavier'", (3, 0), ShapeError, ["xavier", "at least one element", "(3, 0)"]),
    ("type: 'positive_unitball'", (0, 3), ShapeError, ["at least one element", "(0, 3)"]),
    ("type: 'msra'", (), ShapeError, ["msra", "at least one axis", "()"]),
    ("type: 'gaussian' sparse: 1", (), ShapeError, ["at least one axis"]),
    ("type: 'gaussian' sparse: 5", (4, 9), NetError, ["sparse up to the 4 outputs", "got 5"]),
    ("type: 'gaussian' sparse: -2", WEIGHTS, NetError, ["-1 for none", "got -2"]),
    ("type: 'gaussian' std: 0", WEIGHTS, NetError, ["std of a gaussian filler above 0", "got 0"]),
    ("type: 'gaussian' std: -1", WEIGHTS, NetError, ["got -1"]),
    ("type: 'gaussian' std: nan", WEIGHTS, NetError, ["got nan"]),
    ("type: 'uniform' min: 1 max: 0", WEIGHTS, NetError, ["min up to max", "got min 1.0, max 0.0"]),
    ("type: 'uniform' min: -inf", WEIGHTS, NetError, ["got min -inf"]),
    ("type: 'msra' alpha: nan", WEIGHTS, NetError, ["finite alpha", "got alpha nan, scale 1"]),
    ("type: 'msra' alpha: -1e30 scale: -1", WEIGHTS, NetError, ["scale of at least 0", "got alpha -1e+30, scale -1"]),
])
def test_errors(text, shape, error, words):
    with pytest.raises(error) as caught:
        filled(text, shape)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("kind", ["constant", "uniform", "gaussian"])
def test_a_scalar_can_be_filled(kind):
    assert np.isfinite(filled(f"type: '{kind}'", ()))


@pytest.mark.parametrize("text, draw", [
    ("type: 'uniform' min: -3 max: 1", lambda rng, n: rng.uniform(-3, 1, n)),
    ("type: 'gaussian' mean: 2 std: 0.5", lambda rng, n: rng.normal(2, 0.5, n)),
    ("type: 'xavier'", lambda rng, n: rng.uniform(-(3 / 750) ** 0.5, (3 / 750) ** 0.5, n)),
    ("type: 'msra'", lambda rng, n: rng.normal(0, (2 / 750) ** 0.5, n)),
])
def test_numbers_drawn_in_pieces_are_those_of_one_draw(monkeypatch, text, draw):
    monkeypatch.setattr(fillers, "PIECE", 999)
    expected = draw(np.random.default_rng(0), np.prod(WEIGHTS)).astype("float32")
    np.testing.assert_array_equal(filled(text, dtype="float32").ravel(), expected)


def test_large_parameters_may_stay_zero():
    text = """layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [1, 300] } } }
layer { name: "large" type: "InnerProduct" bottom: "x" top: "y"
        inner_product_param { num_output: 300 weight_filler { type: "gaussian" } bias_filler { type: "uniform" } } }"""
    weight, bias = Net(parse(text, "NetParameter"), fillers=False).params["large"]
    assert weight.memory.array is None or not weight.data.any()
    assert bias.data.any()
    with pytest.raises(NetError, match="unknown filler 'odd'"):
        Net(parse(text.replace("gaussian", "odd"), "NetParameter"), fillers=False)
