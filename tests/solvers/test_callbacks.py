"""Callbacks that watch the outputs of tests, functions that watch, and a resumed run with all of them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import NetError, SolverError
from blobnet.proto.binary import read_weights, write_weights
from blobnet.solvers.callbacks import BestSnapshot, EarlyStopping, JsonLog, TensorBoard
from blobnet.solvers.state_files import read_state
from blobnet.solvers.tested import Series

# the weight, which is the loss but for a square, falls to 0.9^7, and then grows
TURNS = ('lr_policy: "multifixed" stagelr: 0.1 stageiter: 6 stagelr: 2.5 stageiter: 99 max_iter: 30 test_iter: 1 '
         'test_interval: 2 snapshot_prefix: "run" ')
EXTRA = """
layer { name: "square" type: "Power" bottom: "ip" top: "square" power_param { power: 2 } include { phase: TEST } }
layer { name: "minus" type: "Power" bottom: "square" top: "score" power_param { scale: -0.5 } include { phase: TEST } }
layer { name: "pair" type: "Concat" bottom: "ip" bottom: "ip" top: "pair" include { phase: TEST } }
"""


@pytest.fixture
def make(make_solver, scalar_net):
    """Builds the scalar solver with two more outputs of its test net."""
    return lambda settings=TURNS: make_solver(settings, net=scalar_net + EXTRA)


@pytest.mark.parametrize("watched, patience, end", [
    (("loss", 1), 1, 8), (("loss", 3), 3, 12), (("score", 3), 3, 12), (("loss", 3, "max"), 3, 6),
    (("loss", 2, None, 0.1), 2, 8),  # 0.5, 0.33, 0.22, 0.14: the last is no longer lower by more than 0.1 than 0.22
    (("loss", 99), 99, 30)])
def test_early_stopping(make, caplog, watched, patience, end):
    caplog.set_level("INFO", "blobnet")
    solver = make()
    solver.watch(EarlyStopping(*watched))
    solver.solve()
    assert (solver.iter, solver.stopped) == (end, end < 30)
    assert os.path.exists(f"run_iter_{end}.solverstate")
    assert (f"was not better for {patience} tests than" in caplog.text) == (end < 30)


def test_early_stopping_counts_on_after_a_resumed_run(make):
    for _ in range(4):  # each goes two iterations further
        solver = make()
        solver.resume()
        solver.watch(EarlyStopping("loss", 3))
        solver.step(3)
        solver.snapshot()
    assert (solver.iter, solver.stopped) == (12, False)
    solver = make()
    solver.resume()
    solver.watch(EarlyStopping("loss", 3))
    solver.solve()
    assert (solver.iter, solver.stopped) == (12, True)


@pytest.mark.parametrize("mode, best", [(None, 6), ("min", 6), ("max", 30)])
def test_best_snapshot(make, weight, mode, best):
    solver = make()
    solver.watch(BestSnapshot("loss", mode))
    solver.solve()
    said = json.loads(Path("run_best.json").read_text())
    assert said == {"output": "loss", "mode": mode or "min", "iteration": best, "value": solver.tested["loss"].values[
        best // 2]}
    state = read_state("run_best.solverstate")
    assert (state.iter, state.model) == (best, "run_best.caffemodel")
    other = make()
    other.restore("run_best.solverstate")
    assert weight(other) ** 2 / 2 == pytest.approx(said["value"])


def test_a_new_run_replaces_the_best_of_an_old_one(make):
    for text, best in ((TURNS, 6), (TURNS.replace("stagelr: 0.1", "stagelr: 0.05"), 6)):
        solver = make(text)
        solver.watch(BestSnapshot("loss", path="kept/best"))
        solver.solve()
        found = json.loads(Path("kept/best.json").read_text())
        assert (found["iteration"], found["value"]) == (best, solver.tested["loss"].values[3])
        assert not Path("run_best.json").exists()


def test_the_best_of_another_run_is_not_known(make):
    """One that began with files there, and asks for the best only after it went on."""
    first = make()
    first.watch(BestSnapshot("loss"))
    first.solve()
    second = make(TURNS.replace("stagelr: 0.1", "stagelr: 0.01"))
    second.step(9)
    second.watch(BestSnapshot("loss"))
    second.step(2)
    assert json.loads(Path("run_best.json").read_text())["iteration"] == 10  # though that of iteration 6 is lower


def test_the_best_of_a_run_without_numbers(make):
    """NaN is never better; any number is better than NaN."""
    solver, callback = make(), BestSnapshot("loss")
    solver.watch(callback)
    values = [np.nan, 3.0, np.nan, 2.0]
    for i, value in enumerate(values):
        solver.iter = i
        solver.tested.add(i, [{"loss": np.array(value)}])
        callback.after_test(solver, [])
    assert callback.best == (3, 2.0)


@pytest.mark.parametrize("callback", [EarlyStopping, BestSnapshot])
@pytest.mark.parametrize("settings, output, words", [
    (TURNS, "los", "solver.prototxt: no test output 'los'; did you mean 'loss'?"),
    (TURNS, "loss#1", "no test output 'loss#1'; did you mean 'loss'"),
    (TURNS, "pair", r"test output 'pair', expected one number, got shape \(1, 2\)"),
    ('max_iter: 3', "loss", "no test whose output 'loss' could be watched; give the solver a test net")])
def test_outputs_that_cannot_be_watched(make, callback, settings, output, words):
    solver = make(settings)
    with pytest.raises(SolverError, match=words):
        solver.watch(callback(output))
    assert not solver.is_watched


@pytest.mark.parametrize("arguments, words", [
    (("loss", 0), "expected patience of at least 1 test, got 0"),
    (("loss", 5, "lower"), r"EarlyStopping\('loss'\): mode, expected min or max, got 'lower'"),
    (("loss", 5, None, -1), "expected min_delta of at least 0, got -1")])
def test_settings_without_sense(arguments, words):
    with pytest.raises(SolverError, match=words):
        EarlyStopping(*arguments)


def test_outputs_of_several_test_nets(make_solver):
    solver = make_solver('net: "net.prototxt" test_iter: 1 test_iter: 2 test_interval: 1 '
                         'test_state { stage: "a" } test_state { stage: "b" }')
    solver.watch(EarlyStopping("loss#1", 1, "max"))
    solver.step(5)
    assert solver.iter == 1 and [series.output for series in solver.tested.series()] == ["loss", "loss#1"]


@pytest.mark.parametrize("ending", ["", " snapshot_format: HDF5"])
def test_snapshots_hold_the_tests(make, ending):
    solver = make(TURNS + ending)
    solver.step(5)
    path = solver.snapshot()[1]
    other = make(TURNS + ending)
    other.restore(path)
    assert other.tested.series() == solver.tested.series()
    assert solver.tested["loss"] == Series("loss", [0, 2, 4], pytest.approx([0.5, 0.9 ** 4 / 2, 0.9 ** 8 / 2]))
    other.step(2)
    other.restore(path)  # what came later is forgotten
    assert other.tested["loss"].iterations == [0, 2, 4]


def test_a_damaged_state(make):
    solver = make()
    solver.step(3)
    path = solver.snapshot()[1]
    message, arrays = read_weights(path, "SolverState")
    message.tests[0].iteration.append(5)
    write_weights(path, message, arrays)
    with pytest.raises(SolverError, match="expected as many values as iterations, got 2 and 3"):
        read_state(path)


def test_functions_watch(make, weight):
    solver, seen = make(), []

    def see(solver):
        seen.append((solver.iter, weight(solver)))
        if solver.iter == 3:
            solver.request_stop()

    solver.watch(see)
    solver.watch(see)
    solver.solve()
    assert seen == [(1, pytest.approx(0.9)), (2, pytest.approx(0.81)), (3, pytest.approx(0.729))]
    solver.unwatch(see)
    solver.step(1)
    assert len(seen) == 3
    with solver.watched_by(seen.append):  # a method is a function, too
        solver.step(1)
    assert seen[3:] == [solver]
    for nothing in (5, EarlyStopping.mro()[-1]):
        with pytest.raises(NetError, match="methods named before_iteration"):
            solver.watch(nothing)
    with pytest.raises(NetError, match="methods named before_forward"):
        solver.net.watch(see)


RUN = ('momentum: 0.9 max_iter: 60 display: 2 test_iter: 2 test_interval: 3 snapshot: 5 '
       'snapshot_prefix: "run" random_seed: 7')


def watched(solver, board=True):
    """The solver with all callbacks."""
    callbacks = [JsonLog("log.json"), BestSnapshot("loss"), EarlyStopping("loss", 6)]
    if board:
        pytest.importorskip("tensorboardX")
        callbacks.append(TensorBoard("events", histograms=4))
    for callback in callbacks:
        solver.watch(callback)
    return solver


def files():
    """What a run left, but for the times."""
    lines = [json.loads(line) for line in Path("log.json").read_text().splitlines()]
    for line in lines:
        line.pop("time")
    return lines, {path.name: path.read_bytes() for path in Path().iterdir()
                   if path.suffix in (".caffemodel", ".solverstate") or path.name == "run_best.json"}


def test_a_resumed_run_with_callbacks(make_solver, random_net, tmp_path, monkeypatch):
    """It is the uninterrupted one, bit for bit, and so are the files; and that is the one without callbacks."""
    plain = make_solver(RUN, net=random_net)
    plain.solve()
    bare = files_of_snapshots()
    for path in Path().glob("run_*"):
        path.unlink()
    whole = watched(make_solver(RUN, net=random_net))
    whole.solve()
    expected = files()
    both = expected[1].keys() & bare.keys()
    assert len(both) >= 8 and {name: expected[1][name] for name in both} == {name: bare[name] for name in both}
    assert whole.stopped and 0 < json.loads(expected[1]["run_best.json"])["iteration"] and len(expected[0]) > 20
    for path in (*Path().glob("run_*"), Path("log.json")):
        path.unlink()
    killed = watched(make_solver(RUN, net=random_net))
    killed.step(9)  # ends without a snapshot, four iterations after the last one
    with open("log.json", "a") as file:
        file.write('{"iteration": 9, "ti')  # in the middle of a line
    stopped = make_solver(RUN, net=random_net)
    assert stopped.resume() == "run_iter_5.solverstate"
    stopped = watched(stopped)
    stopped.watch(lambda solver: solver.request_stop() if solver.iter == 12 else None)
    stopped.solve()
    assert stopped.iter == 12
    resumed = make_solver(RUN, net=random_net)
    resumed.resume()
    watched(resumed).solve()
    lines, kept = files()
    extra = {name for name in kept if "iter_12" in name}
    assert {name: data for name, data in kept.items() if name not in extra} == expected[1]
    assert [line for line in lines if line.get("snapshot") != "run_iter_12.solverstate"] == expected[0]
    for mine, theirs in zip(resumed.net.parameters, whole.net.parameters):
        np.testing.assert_array_equal(mine.blob.data, theirs.blob.data)


def files_of_snapshots():
    return {path.name: path.read_bytes() for path in Path().glob("run_iter_*")}
