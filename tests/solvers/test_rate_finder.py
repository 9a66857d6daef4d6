"""The search of a learning rate."""

import numpy as np
import pytest

from blobnet.errors import SolverError
from blobnet.solvers import SOLVERS
from blobnet.solvers.callbacks import find_rate

BATCH_NORM = """
layer { name: "norm" type: "BatchNorm" bottom: "drop" top: "norm" }
layer { name: "again" type: "InnerProduct" bottom: "norm" top: "again" inner_product_param {
  num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "more" type: "EuclideanLoss" bottom: "again" bottom: "y" top: "more" }
"""


def test_losses_by_hand(make_solver, weight):
    """The weight w, whose loss is w^2 / 2, goes to (1 - rate) w in each step."""
    solver = make_solver("", dtype="float64")
    found = find_rate(solver, 1e-3, 1e-1, 3)
    np.testing.assert_allclose(found.rates, [1e-3, 1e-2, 1e-1])
    weights = np.array([1, 1 - 1e-3, (1 - 1e-3) * (1 - 1e-2)])
    np.testing.assert_allclose(found.losses, weights ** 2 / 2, rtol=1e-6)
    a, b, c = found.losses
    np.testing.assert_allclose(found.smoothed, [a, (0.9 * a + b) / 1.9, (0.81 * a + 0.9 * b + c) / 2.71])
    assert (found.suggestion, found.ended) == (pytest.approx(1e-2), "")
    assert weight(solver) == 1


def test_it_ends_where_the_loss_grows(make_solver, weight):
    solver = make_solver("")
    found = find_rate(solver, 1.5, 100, 12)  # from 2 on the weight grows
    assert "the smoothed loss was over 4 times its smallest" in found.ended and len(found.rates) < 12
    assert found.smoothed[-1] > 4 * found.smoothed.min() > 0
    place = found.smoothed.argmin()
    assert found.suggestion == pytest.approx(found.rates[place] / 10) and 1.5 < found.rates[place] < 5
    assert weight(solver) == 1


def test_numbers_that_are_not_finite_end_it(make_solver, scalar_net):
    net = scalar_net.replace('type: "EuclideanLoss"', 'type: "EuclideanLoss" loss_weight: 1e38')
    solver = make_solver("", net=net)
    assert "not finite" in find_rate(solver, 1e-30, 1e30, 5).ended
    solver.net.params["ip"][0].data[...] = np.nan
    with pytest.raises(SolverError, match="not finite before any update"):
        find_rate(solver)


def test_no_rate_lowers_the_loss(make_solver):
    assert find_rate(make_solver(""), 2.5, 3, 5).suggestion is None


@pytest.mark.parametrize("settings", [
    *(f'type: "{name}"' for name, cls in sorted(SOLVERS.items()) if cls.needs_rate),
    "momentum: 0.9 iter_size: 2 warmup_iter: 9 min_lr: 0.01", 'lr_policy: "multistep" gamma: 0.5 stepvalue: 2'])
def test_the_solver_is_as_it_was(make_solver, random_net, settings):
    """It goes on as one that was not tested, in its middle."""
    settings += ' display: 1 test_iter: 1 test_interval: 2 snapshot_prefix: "run" random_seed: 3'
    with np.errstate(all="ignore"):  # whatever Solver of a plug-in this rate is too high for
        plain, tested = (make_solver(settings, net=random_net + BATCH_NORM) for _ in range(2))
        plain.step(3)
        tested.step(3)
        before = state(tested)
        found = find_rate(tested, 1e-4, 1e-2, 7)
    assert len(found.rates) == 7
    for mine, theirs in zip(state(tested), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    plain.step(4)
    tested.step(4)
    for mine, theirs in zip(state(tested), state(plain), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def state(solver):
    blobs = [array.copy() for layer in solver.net.layers for blob in layer.blobs for array in (blob.data, blob.diff)]
    return [*blobs, *(array.copy() for array in solver.history), solver.iter, solver.rate, solver.current_step,
            solver.loss, solver.smoothed_loss, solver.losses.points(), solver.net.context.step,
            str(solver.param), solver.tested["loss"].values]


def test_nobody_is_told(make_solver, caplog):
    solver, seen = make_solver('display: 1 test_iter: 1 test_interval: 1 snapshot: 1 snapshot_prefix: "run"'), []
    solver.watch(seen.append)
    caplog.set_level("INFO", "blobnet")
    caplog.clear()
    find_rate(solver, steps=5)
    assert not seen and not caplog.records


def test_an_interrupt_leaves_the_solver_whole(make_solver, weight, monkeypatch):
    solver, calls = make_solver('snapshot_prefix: "run"'), []
    update = type(solver).update

    def interrupt(self, rate, values, gradient, *rest):
        calls.append(rate)
        if len(calls) == 3:
            values += 1
            raise KeyboardInterrupt
        update(self, rate, values, gradient, *rest)

    monkeypatch.setattr(type(solver), "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        find_rate(solver)
    assert weight(solver) == 1 and solver.iter == 0
    solver.snapshot()
    solver.step(1)
    assert weight(solver) == pytest.approx(0.9)


@pytest.mark.parametrize("arguments", [(0, 1, 5), (1, 1, 5), (1e-3, 1, 1), (1e-3, float("inf"), 5)])
def test_numbers_without_sense(make_solver, arguments):
    with pytest.raises(SolverError, match="expected 0 < low < high and 2 steps or more"):
        find_rate(make_solver(""), *arguments)


def test_a_type_without_a_rate(make_solver):
    with pytest.raises(SolverError, match="LBFGS has no learning rate"):
        find_rate(make_solver('type: "LBFGS"'))
