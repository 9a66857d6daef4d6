"""A recorded training: its curves, its frames, and that it is the training that would have been without."""

import logging
import math

import numpy as np
import pytest

from blobnet.errors import SolverError
from blobnet.explain import recorder
from blobnet.explain.training import chosen_steps, explained_solver, record
from blobnet.solvers import get_solver

# The gradient of the loss is the weight, which starts at 1; with a rate of 0.1 it is 0.9^i after i updates.
SCALAR_NET = """
name: "scalar"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 1 dim: 1 } data_filler { value: 1 } data_filler { value: 0 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
  num_output: 1 bias_term: false weight_filler { value: 1 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" loss_weight: 2 }
layer { name: "double" type: "Power" bottom: "ip" top: "twice" power_param { scale: 2 } }
layer { name: "rows" type: "Tile" bottom: "ip" top: "rows" tile_param { tiles: 3 } }
"""
RANDOM_NET = """
name: "random"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 6 dim: 5 } shape { dim: 6 dim: 2 } data_filler { type: "gaussian" } } }
layer { name: "drop" type: "Dropout" bottom: "x" top: "drop" }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip" inner_product_param {
  num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" }
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a solver file and its net; its path."""
    monkeypatch.chdir(tmp_path)

    def make(settings="", net=SCALAR_NET, rate=0.05):
        (tmp_path / "net.prototxt").write_text(net)
        path = tmp_path / "solver.prototxt"
        path.write_text(f'net: "net.prototxt" base_lr: {rate} lr_policy: "fixed" random_seed: 3 {settings}')
        return path

    return make


def test_curves_have_the_numbers_of_every_iteration(write):
    training = record(explained_solver(write()), 4)
    weights = [0.9 ** i for i in range(4)]
    assert [iteration for iteration, _ in training.loss] == [0, 1, 2, 3]
    assert [value for _, value in training.loss] == pytest.approx([weight ** 2 for weight in weights])
    assert training.rate == [(i, pytest.approx(0.05)) for i in range(4)]
    assert set(training.outputs) == {"loss", "twice"}  # not the three of "rows"
    assert [value for _, value in training.outputs["twice"]] == pytest.approx([2 * weight for weight in weights])
    assert not training.stopped and training.tests == {}


def test_frames_see_the_weights_of_their_step(write):
    solver, calls = explained_solver(write()), []

    def frame(step):
        calls.append(step)
        return float(solver.net.params["ip"][0].data[0, 0])

    training = record(solver, 10, frame, frames=4)
    assert training.steps == calls == [0, 1, 3, 10]
    assert training.frames == pytest.approx([0.9 ** step for step in training.steps])


def test_sizes_of_gradients_and_updates(write):
    training = record(explained_solver(write()), 10, frames=4)
    norms, ratios = training.gradient_norms[0], training.update_ratios[0]
    assert (norms.layer, norms.param, norms.name) == (1, 0, "ip param 0")
    assert norms.values == pytest.approx([2 * 0.9 ** i for i in (0, 1, 3, 9)])  # the last: of the last iteration
    assert ratios.values == pytest.approx([0.1] * 4)


def test_norms_are_those_of_the_mean_gradient(write):
    once = record(explained_solver(write()), 1)
    twice = record(explained_solver(write("iter_size: 2")), 1)
    assert twice.gradient_norms == once.gradient_norms
    assert twice.update_ratios[0].values == pytest.approx(once.update_ratios[0].values)


def test_a_norm_is_no_mean(write):
    norms = []
    solver = explained_solver(write(net=RANDOM_NET))
    solver.add_callback(on_gradients_ready=lambda: norms.append(np.linalg.norm(solver.net.params["ip"][0].diff)))
    assert record(solver, 1).gradient_norms[0].values == pytest.approx(norms * 2, rel=1e-5)


def test_parameters_that_are_0_have_no_ratio(write):
    training = record(explained_solver(write(net=RANDOM_NET)), 2)
    bias = training.update_ratios[1].values
    assert math.isnan(bias[0]) and bias[1] > 0


@pytest.mark.parametrize("steps, kept", [(100, [*range(100)]), (101, [*range(0, 101, 2)]),
                                         (250, [*range(0, 249, 3), 249])])
def test_long_curves_are_thinned(write, monkeypatch, steps, kept):
    assert recorder.POINTS == 1000
    monkeypatch.setattr(recorder, "POINTS", 100)
    training = record(explained_solver(write()), steps)
    iterations = [iteration for iteration, _ in training.loss]
    assert iterations == kept and len(kept) <= 100
    assert [iteration for iteration, _ in training.rate] == iterations
    assert [iteration for iteration, _ in training.outputs["twice"]] == iterations


def test_recording_changes_nothing(write, caplog):
    caplog.set_level(logging.INFO, "blobnet")
    path = write("momentum: 0.9 display: 2", RANDOM_NET)

    def lines():
        found = [record.getMessage() for record in caplog.records if "iter/s" not in record.getMessage()]
        caplog.clear()
        return found

    plain, watched = get_solver(path), explained_solver(path)
    lines()
    plain.step(6)
    expected = lines()
    record(watched, 6)
    assert lines() == expected and len(expected) >= 6
    for mine, other in zip(plain.net.parameters, watched.net.parameters):
        assert np.array_equal(mine.blob.data, other.blob.data)


def test_no_snapshots(write, tmp_path):
    settings = 'max_iter: 4 snapshot: 2 snapshot_prefix: "out/run"'
    before = write(settings)
    record(explained_solver(before), 4)
    explained_solver(before).solve()
    assert {path.name for path in tmp_path.iterdir()} == {"net.prototxt", "solver.prototxt"}


def test_tests_are_short_and_run_at_the_steps_of_frames(write):
    solver = explained_solver(write("test_iter: 100 test_interval: 1", RANDOM_NET))
    forwards = []
    net = solver.test_nets[0]
    net.forward()
    net.watch(type("Counter", (), {"after_forward_pass": lambda self, whole: forwards.append(net.context.step)})())
    training = record(solver, 10, frames=4, test_batches=3)
    assert forwards == [1, 2, 3] * 4                # the same batches each time
    assert net.context.step == 1                    # it stays where it stood
    assert list(training.tests) == ["loss"]
    assert [step for step, _ in training.tests["loss"]] == [0, 1, 3, 10]


def test_means_of_tests(write):
    training = record(explained_solver(write("test_iter: 2 test_interval: 1")), 2)
    assert [value for _, value in training.tests["twice"]] == pytest.approx([2, 1.8, 1.62])


def test_a_loss_that_is_not_finite_ends_the_training(write):
    with np.errstate(all="ignore"):
        training = record(explained_solver(write(rate=1e8)), 50)
    assert "training stopped at iteration" in training.stopped
    last = training.loss[-1][0]
    assert last < 49 and training.steps[-1] <= last + 1
    assert len(training.frames) == len(training.steps) == len(training.gradient_norms[0].values)


def test_the_seed_and_the_weights_can_be_given(write, tmp_path):
    path = write(net=RANDOM_NET)

    def weights(**options):
        return explained_solver(path, **options).net.params["ip"][0].data.copy()

    assert np.array_equal(weights(), weights()) and not np.array_equal(weights(), weights(random_seed=4))
    solver = explained_solver(path, random_seed=4)
    solver.net.save(tmp_path / "w.caffemodel")
    assert np.array_equal(weights(weights=tmp_path / "w.caffemodel"), solver.net.params["ip"][0].data)


@pytest.mark.parametrize("steps, frames", [(1, 2), (5, 2), (8, 9), (9, 9), (10, 9), (500, 9), (10000, 9)])
def test_steps_are_chosen_from_the_first_to_the_last(steps, frames):
    chosen = chosen_steps(steps, frames)
    assert chosen[0] == 0 and chosen[-1] == steps and len(chosen) == min(frames, steps + 1)
    assert np.all(np.diff(chosen) > 0)


def test_what_cannot_be_recorded(write):
    solver = explained_solver(write())
    for steps, frames in ((0, 9), (5, 1)):
        with pytest.raises(SolverError, match=f"got {steps} and {frames}"):
            record(solver, steps, frames=frames)
