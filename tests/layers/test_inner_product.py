"""InnerProduct against sums written out."""

import itertools

import numpy as np
import pytest
from layer_rows import build

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(("shape", "axis", "top"), [
    ((3, 4), "", (3, 5)), ((3, 2, 2, 2), "", (3, 5)), ((3, 2, 4), "axis: 2", (3, 2, 5)),
    ((3, 2, 4), "axis: -1", (3, 2, 5)), ((6,), "axis: 0", (5,)), ((3, 4, 1, 1), "axis: 1", (3, 5))])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients(shape, axis, top, transpose, bias):
    x = RNG.normal(size=shape)
    alone = build("InnerProduct", [x], f"inner_product_param {{ num_output: 5 {axis} bias_term: {str(bias).lower()} "
                  f"transpose: {str(transpose).lower()} }}")
    rows = x.reshape(int(np.prod(top[:-1])), -1)
    weight = RNG.normal(size=(5, rows.shape[1]))
    alone.parameters[0][...] = weight.T if transpose else weight
    assert alone.parameters[0].shape == (weight.T if transpose else weight).shape
    offset = RNG.normal(size=5) if bias else np.zeros(5)
    if bias:
        alone.parameters[1][...] = offset
    (y,) = alone.forward()
    assert y.shape == top
    dy = RNG.normal(size=top)
    (dx,) = alone.backward([dy], [True])
    want_y, want_dx, want_dw = np.empty((len(rows), 5)), np.zeros(rows.shape), np.zeros(weight.shape)
    for n, k in itertools.product(range(len(rows)), range(5)):
        want_y[n, k] = offset[k] + sum(weight[k, i] * rows[n, i] for i in range(rows.shape[1]))
        for i in range(rows.shape[1]):
            want_dx[n, i] += dy.reshape(-1, 5)[n, k] * weight[k, i]
            want_dw[k, i] += dy.reshape(-1, 5)[n, k] * rows[n, i]
    np.testing.assert_allclose(y.reshape(-1, 5), want_y)
    np.testing.assert_allclose(dx.reshape(rows.shape), want_dx)
    np.testing.assert_allclose(alone.layer.blobs[0].diff, want_dw.T if transpose else want_dw)
    if bias:
        np.testing.assert_allclose(alone.layer.blobs[1].diff, [dy.reshape(-1, 5)[:, k].sum() for k in range(5)])
    assert len(alone.layer.blobs) == 1 + bias


def test_parameters_that_do_not_learn_get_no_gradient():
    alone = build("InnerProduct", [np.ones((2, 3))], "inner_product_param { num_output: 2 }")
    alone.layer.param_propagate_down = [False, True]
    alone.forward()
    alone.backward([np.ones((2, 2))], [False])
    assert not alone.layer.blobs[0].diff.any()
    np.testing.assert_array_equal(alone.layer.blobs[1].diff, [2, 2])
