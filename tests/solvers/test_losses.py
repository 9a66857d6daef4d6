"""The losses that a solver remembers."""

import numpy as np

from blobnet.solvers.losses import Losses


def test_there_are_never_too_many():
    losses = Losses(most=100)
    for iteration in range(10_000):
        losses.add(iteration, 1 / (1 + iteration))
        assert len(losses) <= 101  # the last one may stand between
    iterations, values = losses.points()
    assert len(losses) > 50 and losses.every == 128
    assert iterations[:3].tolist() == [0, 128, 256] and iterations[-1] == 9_999
    assert iterations.dtype == np.int64 and values.dtype == np.float64
    np.testing.assert_array_equal(values, 1 / (1 + iterations))


def test_going_back_forgets():
    losses = Losses(most=4)
    for iteration in [*range(8), 3, 5]:
        losses.add(iteration, iteration)
        assert losses.points()[0].tolist() == sorted(set(losses.points()[0].tolist()))
    assert losses.points()[0].tolist() == [0, 2, 5]
    assert [array.tolist() for array in Losses().points()] == [[], []]


def test_the_newest_are_all_there():
    losses = Losses(most=4)
    assert losses.last(3) == []
    for iteration in [*range(1500), 1200, 1201]:
        losses.add(iteration, iteration / 2)
    assert losses.last(3) == [599.5, 600, 600.5] and losses.last(0) == []
    assert len(losses.last(5000)) == 702


def test_a_solver_remembers(make_solver):
    """The weight, 1 at first, loses a tenth of itself in every iteration; the loss is half its square."""
    solver = make_solver("max_iter: 5 display: 0")
    solver.step(3)
    iterations, values = solver.losses.points()
    assert iterations.tolist() == [0, 1, 2] and solver.goal == 3
    np.testing.assert_allclose(values, [0.5, 0.405, 0.32805], rtol=1e-6)
    solver.solve()
    assert solver.losses.points()[0].tolist() == [0, 1, 2, 3, 4] and solver.goal == 5


def test_a_restored_run_has_no_losses_of_later_iterations(make_solver):
    solver = make_solver('snapshot: 2 snapshot_prefix: "run" max_iter: 4 snapshot_after_train: false')
    solver.solve()
    solver.restore("run_iter_2.solverstate")
    solver.step(1)
    assert solver.losses.points()[0].tolist() == [0, 1, 2]
    other = make_solver('snapshot: 2 snapshot_prefix: "run"')
    other.restore("run_iter_2.solverstate")
    other.step(1)
    assert other.losses.points()[0].tolist() == [2] and other.goal == 3
