import numpy as np
import pytest

from blobnet.hashing.vector_net import objective
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.solvers.types import lbfgs

REGRESSION = """
name: "regression"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 40 dim: 5 } shape { dim: 40 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 }
  param { lr_mult: 3 } param { decay_mult: 0 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
"""
CLASSES = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 30 dim: 4 } data_filler { type: "uniform"
  min: -1 } } }
layer { name: "l" type: "DummyData" top: "l" dummy_data_param { shape { dim: 30 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 6
  weight_filler { type: "xavier" } } param { lr_mult: LR } }
layer { name: "bn" type: "BatchNorm" bottom: "ip" top: "bn" }
layer { name: "drop" type: "Dropout" bottom: "bn" top: "drop" }
layer { name: "ip2" type: "InnerProduct" bottom: "drop" top: "ip2" inner_product_param { num_output: 3
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "l" top: "loss" }
"""
FIXED = """
layer { name: "x" type: "Input" top: "x" top: "y" input_param { shape { dim: 80 dim: 6 } shape { dim: 80 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 12
  weight_filler { type: "xavier" } } }
layer { name: "tanh" type: "TanH" bottom: "ip" top: "tanh" }
layer { name: "ip2" type: "InnerProduct" bottom: "tanh" top: "ip2" inner_product_param { num_output: 3
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip2" bottom: "y" top: "loss" }
"""


def solver_of(text, dtype="float32", **settings):
    """L-BFGS without base_lr and lr_policy, on a net given as text."""
    settings = {"weight_decay": 0, "random_seed": 1, "solver_mode": 0, **settings}
    return get_solver(new("SolverParameter", type="LBFGS", net_param=parse(text, "NetParameter"), **settings),
                      dtype=dtype)


def data_of(solver, start, count):
    """x with a column of ones, and y, of `count` forwards, as the normal equations want them."""
    net, batches = solver.net, []
    net.seek(start)
    for _ in range(count):
        net.forward()
        x = net.blobs["x"].data
        batches.append((np.hstack([x, np.ones((len(x), 1))]), net.blobs["y"].data.copy()))
    net.seek(start)
    return (np.concatenate(arrays) for arrays in zip(*batches))


@pytest.mark.parametrize("decay, iter_size", [(0, 1), (0.25, 1), (0.25, 3)])
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-6), ("float32", 1e-3)])
def test_regression_against_the_normal_equations(decay, iter_size, dtype, tolerance):
    solver = solver_of(REGRESSION, dtype, weight_decay=decay, iter_size=iter_size)
    solver.step(1)
    loss_before = solver.loss
    for start in (0, iter_size):  # the second iteration has the next data
        if start:
            solver.step(1)
        x, y = data_of(solver, start, iter_size)
        solver.net.seek(start + iter_size)
        ridge = np.diag([decay] * 5 + [0])  # none on the bias
        want = np.linalg.solve(x.T @ x / len(x) + ridge, x.T @ y / len(x)).T
        weight, bias = (blob.data for blob in solver.net.params["ip"])
        np.testing.assert_allclose(np.hstack([weight, bias[:, None]]), want, atol=tolerance)
        if not start:
            assert loss_before == pytest.approx((y ** 2).sum() / 2 / len(y), rel=1e-5)  # as it was before the steps


def test_what_an_iteration_leaves():
    solver = solver_of(REGRESSION, iter_size=2)
    before = [parameter.blob.data.copy() for parameter in solver.net.parameters]
    solver.step(1)
    assert (solver.iter, solver.net.context.step) == (1, 2)
    steps = [np.concatenate([array.ravel() for array in solver.history[i:i + 2]]) for i in range(0, 40, 2)]
    newest, change = steps[0], steps[1]  # a parameter's array each, weight and bias
    assert newest.any() and newest.dot(change) > 0
    for parameter, old in zip(solver.net.parameters, before):
        np.testing.assert_allclose(old - parameter.blob.diff, parameter.blob.data, atol=1e-7)
        assert parameter.blob.diff.any()


@pytest.mark.parametrize("rate, changes", [(0, False), (1, True)])
def test_parameters_without_a_rate_stay(rate, changes):
    net = CLASSES.replace("LR", str(rate))
    solver, other = solver_of(net), solver_of(net)
    before = solver.net.params["ip"][0].data.copy()
    solver.step(1)
    assert (solver.net.params["ip"][0].data != before).any() == changes
    assert solver.net.params["ip2"][0].diff.any()
    other.net.forward()
    for mine, once in zip(solver.net.params["bn"], other.net.params["bn"]):
        np.testing.assert_array_equal(mine.data, once.data)  # the statistics of one forward


def test_nothing_to_learn():
    solver = solver_of(REGRESSION.replace("lr_mult: 3", "lr_mult: 0").replace("decay_mult: 0", "lr_mult: 0"))
    solver.step(2)
    assert solver.iter == 2 and not solver.net.params["ip"][0].data.any()


def test_lowers_the_loss_through_dropout():
    """The mask is the same in all forwards of an iteration: its objective is a function."""
    solver = solver_of(CLASSES.replace("LR", "1"))
    solver.step(1)
    first = solver.loss
    solver.net.seek(0)
    solver.net.forward()
    assert solver.net.loss < first / 100


def test_goes_far_beyond_gradient_descent():
    """A valley 1000 times longer than wide: 20 steps find its end."""
    solver = solver_of("""
        layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 1 dim: 2 } } }
        layer { name: "x" type: "DummyData" top: "x" top: "one" dummy_data_param { shape { dim: 1 dim: 2 }
          shape { dim: 1 dim: 2 } data_filler { value: 1 } data_filler { value: 1 } } }
        layer { name: "scale" type: "Scale" bottom: "w" top: "s" param { lr_mult: 0 } }
        layer { name: "loss" type: "EuclideanLoss" bottom: "s" bottom: "one" top: "loss" }""", "float64")
    solver.net.params["scale"][0].data[...] = 30, 1
    solver.step(1)
    np.testing.assert_allclose(solver.net.params["w"][0].data, [[1 / 30, 1]], rtol=1e-5)


def fixed(monkeypatch, steps, count, dtype, forget=False):
    """The solver after `count` iterations of `steps` steps on the same data, and its objective then."""
    monkeypatch.setattr(lbfgs, "STEPS", steps)
    solver = solver_of(FIXED, dtype, weight_decay=1e-4)
    for name, shape in (("x", (80, 6)), ("y", (80, 3))):
        solver.net.blobs[name].data[...] = np.random.default_rng(len(name) + shape[1]).normal(size=shape)
    for _ in range(count):
        solver.step(1)
        for array in solver.history if forget else ():
            array.fill(0)
    return solver, objective(solver)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [1, 5, 20])
def test_steps_are_the_same_in_pieces(monkeypatch, length, dtype):
    """The memory lives on between iterations: 200 steps at once, or some at a time, end in the same bits."""
    (whole, value), (pieces, other) = (fixed(monkeypatch, n, 200 // n, dtype) for n in (200, length))
    assert value == other
    for one, two in zip(*([*solver.history, *(parameter.blob.data for parameter in solver.net.parameters)]
                          for solver in (whole, pieces)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_forgotten_costs(monkeypatch):
    """With a memory that begins anew every 5 steps, as many steps end higher."""
    kept, forgot = (fixed(monkeypatch, 5, 20, "float64", forget)[1] for forget in (False, True))
    assert kept < 0.95 * forgot


def test_a_loop_of_ones_own_is_step():
    loops = [solver_of(REGRESSION, weight_decay=0.1) for _ in range(2)]
    loops[0].step(2)
    for _ in range(2):
        loops[1].net.clear_param_diffs()
        loops[1].net.forward()
        loops[1].net.backward()
        loops[1].apply_update()
    assert [solver.iter for solver in loops] == [2, 2]
    np.testing.assert_array_equal(*(solver.net.params["ip"][0].data for solver in loops))
