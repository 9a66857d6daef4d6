"""Softmax and Eltwise against scipy and sums written out."""

import functools
import operator

import numpy as np
import pytest
from layer_rows import build
from scipy import special

from blobnet.errors import ShapeError

RNG = np.random.default_rng(8)


@pytest.mark.parametrize(("shape", "axis"), [
    ((3, 4), 1), ((2, 3, 4, 5), 1), ((2, 3, 4), -1), ((2, 3, 4), 0), ((5,), 0), ((3, 1), 1)])
@pytest.mark.parametrize("scale", [1, 1000])
def test_softmax(shape, axis, scale):
    x = RNG.normal(size=shape) * scale
    alone = build("Softmax", [x], f"softmax_param {{ axis: {axis} }}")
    (y,) = alone.forward()
    np.testing.assert_allclose(y, special.softmax(x, axis=axis), atol=1e-15)
    np.testing.assert_allclose(y.sum(axis=axis), 1)
    dy = RNG.normal(size=shape)
    (dx,) = alone.backward([dy], [True])
    ys, dys = np.moveaxis(y, axis, -1).reshape(-1, shape[axis]), np.moveaxis(dy, axis, -1).reshape(-1, shape[axis])
    want = [(np.diag(p) - np.outer(p, p)) @ d for p, d in zip(ys, dys)]  # the Jacobian
    np.testing.assert_allclose(np.moveaxis(dx, axis, -1).reshape(-1, shape[axis]), want, atol=1e-12)


def test_softmax_of_equal_scores():
    np.testing.assert_allclose(build("Softmax", [np.full((1, 4), 3e38)], dtype="float32").forward()[0], 0.25)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(("options", "fold"), [
    ("", sum), ("operation: SUM", sum), ("operation: PROD", lambda x: functools.reduce(operator.mul, x)),
    ("operation: MAX", lambda x: np.max(x, axis=0))])
def test_eltwise(count, options, fold):
    x = [RNG.normal(size=(2, 3, 4)) for _ in range(count)]
    np.testing.assert_allclose(build("Eltwise", x, f"eltwise_param {{ {options} }}").forward()[0], fold(x))


def test_eltwise_coefficients():
    x = [np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([100.0, 200.0])]
    alone = build("Eltwise", x, "eltwise_param { coeff: 1 coeff: -0.5 coeff: 2 }")
    np.testing.assert_allclose(alone.forward()[0], [196, 392])
    assert [float(dx[0]) for dx in alone.backward([np.array([3.0, 3.0])], [True] * 3)] == [3, -1.5, 6]


@pytest.mark.parametrize(("x", "takes"), [
    ([1, 2, 3], 2), ([3, 2, 1], 0), ([2, 2, 1], 1), ([2, 1, 2], 0), ([1, 2, 2], 1), ([2, 2, 2], 1), ([1, 1, 2], 2)])
def test_eltwise_maximum_gives_the_gradient_to_one(x, takes):
    alone = build("Eltwise", [[float(value)] for value in x], "eltwise_param { operation: MAX }")
    assert alone.forward()[0] == max(x)
    diffs = alone.backward([np.array([5.0])], [True] * 3)
    assert [float(dx[0]) for dx in diffs] == [5.0 * (i == takes) for i in range(3)]


def test_eltwise_product_with_zeros():
    x = [np.array([0.0, 0.0, 2.0]), np.array([3.0, 0.0, 5.0])]
    alone = build("Eltwise", x, "eltwise_param { operation: PROD }")
    alone.forward()
    assert [dx.tolist() for dx in alone.backward([np.ones(3)], [True, True])] == [[3, 0, 5], [0, 0, 2]]


def test_coefficients_do_nothing_to_a_maximum():
    a, b = RNG.normal(size=(2, 3, 4))
    (y,) = build("Eltwise", [a, b], "eltwise_param { operation: MAX coeff: 5 coeff: -1 }").forward()
    np.testing.assert_array_equal(y, np.maximum(a, b))


@pytest.mark.parametrize(("kind", "bottoms"), [
    ("Softmax", [(2, 0, 3)]), ("SoftmaxWithLoss", [(2, 0), (2,)]), ("InfogainLoss", [(2, 0), (2,), (0, 0)])])
def test_no_classes(kind, bottoms):
    with pytest.raises(ShapeError, match="expected at least one class on axis 1"):
        build(kind, list(map(np.zeros, bottoms)))


def test_eltwise_max_without_axes():
    alone = build("Eltwise", [np.array(1.0), np.array(3.0), np.array(2.0)], "eltwise_param { operation: MAX }")
    assert alone.forward()[0] == 3
    assert alone.backward([np.array(2.0)], [True] * 3) == [0, 2, 0]
