import itertools
import logging
import re
from types import SimpleNamespace

import pytest

import blobnet
from blobnet.errors import NetError, SolverError
from blobnet.log.glog import GlogFormatter
from blobnet.log.loggers import building
from blobnet.solvers.schedule import tests_before as count_tests

PAIR_NET = """
name: "pair"
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 2 } data_filler { value: 0.25 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" loss_weight: 2 }
layer { name: "extra" type: "Power" bottom: "x" top: "extra" power_param { shift: 1 } }
"""


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "blobnet")
    return lambda: [record.getMessage() for record in caplog.records if record.name != building.name]


def test_display_lines(make_solver, lines):
    make_solver("display: 2", net=PAIR_NET).step(3)
    shown = [line for line in lines() if "teration" in line or "output" in line]
    assert [re.sub(r"\([^*]*iters\)", "(TIME)", line) for line in shown] == [
        "Iteration 0 (TIME), loss = 0",
        "    Train net output #0: extra = 1.25",
        "    Train net output #1: extra = 1.25",
        "    Train net output #2: loss = 0 (* 2 = 0 loss)",
        "Iteration 0, lr = 0.1",
        "Iteration 2 (TIME), loss = 0",
        "    Train net output #0: extra = 1.25",
        "    Train net output #1: extra = 1.25",
        "    Train net output #2: loss = 0 (* 2 = 0 loss)",
        "Iteration 2, lr = 0.1",
    ]
    assert re.fullmatch(r"Iteration 2 \([\d.e+]+ iter/s, [\d.e-]+s/2 iters\), loss = 0", shown[5])


def test_the_speed_shown_is_that_of_all_steps(make_solver, lines, monkeypatch):
    """Whoever steps one by one sees the time of all of them, without what was done between; Caffe shows the last's."""
    clock = itertools.count()  # a second from one look to the next
    monkeypatch.setattr("blobnet.solvers.display.time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    solver = make_solver("display: 4")
    for _ in range(9):
        solver.step(1)
        next(clock)
    assert [line.split(",")[0] for line in lines() if "iter/s" in line] == [
        "Iteration 0 (0 iter/s", "Iteration 4 (0.8 iter/s", "Iteration 8 (0.8 iter/s"]


def test_a_whole_run(make_solver, lines):
    solver = make_solver('max_iter: 4 display: 2 test_iter: 2 test_interval: 2 test_compute_loss: true snapshot: 3 '
                         'snapshot_prefix: "out/run"')
    solver.solve()
    said = [line for line in lines() if not re.search("Initializing|random_seed|output", line)]
    assert [re.sub(r"\([^*]*iters\)", "(TIME)", line) for line in said] == [
        "Solver scaffolding done.",
        "Solving scalar",
        "Learning Rate Policy: fixed",
        "Iteration 0, Testing net (#0)",
        "Test loss: 0.5",
        "Iteration 0 (TIME), loss = 0.5",
        "Iteration 0, lr = 0.1",
        "Iteration 2, Testing net (#0)",
        "Test loss: 0.32805",
        "Iteration 2 (TIME), loss = 0.32805",
        "Iteration 2, lr = 0.1",
        "Snapshotting to binary proto file out/run_iter_3.caffemodel",
        "Snapshotting solver state to binary proto file out/run_iter_3.solverstate",
        "Snapshotting to binary proto file out/run_iter_4.caffemodel",
        "Snapshotting solver state to binary proto file out/run_iter_4.solverstate",
        "Iteration 4, loss = 0.215234",
        "Iteration 4, Testing net (#0)",
        "Test loss: 0.215234",
        "Optimization Done.",
    ]


@pytest.mark.parametrize("average, expected", [(1, 0.215234), (2, (0.265721 + 0.215234) / 2),
                                               (10, (0.5 + 0.405 + 0.32805 + 0.265721 + 0.215234) / 5)])
def test_smoothed_loss(make_solver, average, expected):
    solver = make_solver(f"average_loss: {average}")
    solver.step(5)
    assert (solver.loss, solver.smoothed_loss) == pytest.approx((0.215234, expected), rel=1e-5)


def test_smoothing_starts_anew_with_step(make_solver):
    solver = make_solver("average_loss: 10")
    solver.step(2)
    solver.step(1)
    assert solver.smoothed_loss == solver.loss


def test_parsers_of_caffe_logs(make_solver, lines, caplog):
    make_solver("max_iter: 2 display: 1 test_iter: 1 test_interval: 1").solve()
    text = "\n".join(GlogFormatter().format(record) for record in caplog.records)
    prefix = r"^I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ \w+\.py:\d+\] "
    assert re.search(prefix + "Solving scalar$", text, re.M)
    assert re.findall(prefix + r"Iteration (\d+)", text, re.M) == ["0", "0", "0", "1", "1", "1", "2", "2"]
    output = r" net output #(\d+): (\S+) = ([\.\deE+-]+)"
    assert re.findall("Train" + output, text) == [("0", "loss", "0.5"), ("0", "loss", "0.405")]
    assert re.findall("Test" + output, text)[-1] == ("0", "loss", "0.32805")
    assert re.findall(r"lr = ([-+]?[0-9]*\.?[0-9]+([eE]?[-+]?[0-9]+)?)", text) == [("0.1", ""), ("0.1", "")]
    assert len(re.findall(prefix, text, re.M)) == len(caplog.records)


def test_clipping_and_steps_are_reported(make_solver, lines):
    make_solver('clip_gradients: 0.25 lr_policy: "multistep" gamma: 0.5 stepvalue: 1').step(2)
    assert "Gradient clipping: scaling down gradients (L2 norm 1 > 0.25) by scale factor 0.25" in lines()
    assert "MultiStep Status: Iteration 1, step = 1" in lines()


def test_test_results(make_solver, random_net):
    """A test is the mean over the batches, and its nets use the weights of the training net."""
    solver = make_solver("test_iter: 2 test_iter: 3 test_interval: 10 random_seed: 1", net=random_net, dtype="float64")
    first, second = solver.test_all()
    losses = []
    for net, count in zip(solver.test_nets, (2, 3)):
        net.seek(0)
        losses.append(sum(net.forward()["loss"].item() for _ in range(count)) / count)
    assert [first["loss"].item(), second["loss"].item()] == pytest.approx(losses, rel=1e-12)
    assert losses[0] != losses[1]
    for net in solver.test_nets:
        assert net.phase == blobnet.TEST
        assert net.params["ip"][0].data is not None
        solver.net.params["ip"][0].data[...] = 0
        assert not net.params["ip"][0].data.any()


@pytest.mark.parametrize("iteration, initial, expected", [
    (0, "true", 0), (1, "true", 1), (10, "true", 1), (11, "true", 2), (20, "true", 2), (21, "true", 3),
    (0, "false", 0), (1, "false", 0), (10, "false", 0), (11, "false", 1), (21, "false", 2)])
def test_tests_are_counted_as_they_are_run(make_solver, iteration, initial, expected):
    settings = f"test_iter: 1 test_interval: 10 test_initialization: {initial}"
    solver = make_solver(settings)
    solver.step(iteration)
    assert solver.test_nets[0].context.step == expected == count_tests(iteration, solver.param)


def test_callbacks(make_solver, weight):
    solver, seen = make_solver("iter_size: 2"), []
    blob = solver.net.params["ip"][0]
    solver.add_callback(on_start=lambda: seen.append(("start", solver.iter, blob.diff.item())))
    solver.add_callback(on_gradients_ready=lambda: seen.append(("ready", solver.iter, weight(solver))))
    solver.step(2)
    assert seen == [("start", 0, 0), ("ready", 0, 1), ("start", 1, 0), ("ready", 1, pytest.approx(0.9))]


class Recorder:
    """Keeps what it is told, and what the solver's numbers are at that moment."""

    def __init__(self, solver, read):
        self.seen, self.solver, self.read = [], solver, read

    def before_iteration(self, iteration):
        self.seen.append(("before", iteration, self.solver.net.params["ip"][0].diff.item(), self.read(self.solver)))

    def gradients_ready(self, iteration, loss):
        self.seen.append(("ready", iteration, loss, self.read(self.solver)))

    def after_update(self, iteration, rate):
        self.seen.append(("after", iteration, rate, self.read(self.solver)))

    def after_snapshot(self, iteration, weights, state):
        self.seen.append(("snapshot", iteration, weights, state))


def test_watchers(make_solver, weight):
    """They are told what happens in its order, from `watch` to `unwatch`."""
    solver = make_solver('iter_size: 2 snapshot: 2 snapshot_prefix: "run"', dtype="float64")
    recorder = Recorder(solver, weight)
    with solver.watched_by(recorder):
        solver.step(2)
    solver.step(2)
    rate = pytest.approx(0.1)
    assert recorder.seen == [
        ("before", 0, 0, 1), ("ready", 0, 0.5, 1), ("after", 1, rate, pytest.approx(0.9)),
        ("before", 1, 0, pytest.approx(0.9)), ("ready", 1, pytest.approx(0.405), pytest.approx(0.9)),
        ("after", 2, rate, pytest.approx(0.81)),
        ("snapshot", 2, "run_iter_2.caffemodel", "run_iter_2.solverstate")]


@pytest.mark.parametrize("event", ["before_iteration", "gradients_ready", "after_update", "after_snapshot"])
def test_a_watcher_that_fails(make_solver, event):
    """The solver is as it was, and goes on."""
    solver = make_solver('snapshot: 1 snapshot_prefix: "run"')
    whole = make_solver('snapshot: 1 snapshot_prefix: "whole"')
    whole.step(3)

    def fail(*values):
        raise KeyError(event)

    with pytest.raises(KeyError, match=event), solver.watched_by(SimpleNamespace(**{event: fail})):
        solver.step(1)
    assert solver.iter == (event in ("after_update", "after_snapshot"))
    solver.step(3 - solver.iter)
    assert solver.net.params["ip"][0].data == whole.net.params["ip"][0].data


def test_a_watcher_of_nothing(make_solver):
    with pytest.raises(NetError, match="methods named before_iteration, gradients_ready, after_update"):
        make_solver("").watch(SimpleNamespace(on_start=print))


@pytest.mark.parametrize("when", ["training", "testing"])
def test_stop(make_solver, lines, when, tmp_path):
    solver = make_solver('max_iter: 9 test_iter: 5 test_interval: 3 snapshot_prefix: "run"')
    net = solver.net if when == "training" else solver.test_nets[0]
    forward = net.forward

    def stop_at_the_seventh():
        if net.context.step == 6:
            solver.request_stop()
        return forward()

    net.forward = stop_at_the_seventh
    solver.solve()
    assert solver.stopped
    assert solver.iter == (7 if when == "training" else 3)
    assert (tmp_path / f"run_iter_{solver.iter}.solverstate").exists()
    assert lines()[-1] == "Optimization stopped early."
    assert ("Test interrupted." in lines()) == (when == "testing")
    solver.solve()  # goes on to the end
    assert solver.iter == 9 and not solver.stopped


def test_solve_needs_max_iter(make_solver):
    with pytest.raises(SolverError, match="no max_iter"):
        make_solver("").solve()


def test_seeds(make_solver, random_net):
    def loss(text):
        solver = make_solver(text, net=random_net)
        solver.step(3)
        return solver.loss

    assert loss("random_seed: 5") == loss("random_seed: 5") != loss("random_seed: 6")
    assert loss("") != loss("")


def test_device_of_the_file(make_solver, lines, monkeypatch):
    monkeypatch.setattr("blobnet.solvers.settings.gpu_available", lambda: False)
    said = "solver_mode is GPU, but no GPU can be used: training on the CPU"
    assert make_solver("solver_mode: CPU").device == make_solver("").device == "cpu"
    assert said not in lines()
    assert make_solver("solver_mode: GPU").device == "cpu"
    assert said in lines()


def test_a_negative_interval_counts_as_its_size(make_solver, lines):
    make_solver("display: -2").step(3)
    assert [line.split(" (")[0] for line in lines() if "iter/s" in line] == ["Iteration 0", "Iteration 2"]


def test_the_log_has_no_empty_lines(make_solver, lines):
    """Caffe's own parser of logs stops at one."""
    make_solver("display: 1", net=PAIR_NET).step(1)
    assert all(part for line in lines() for part in line.split("\n"))
