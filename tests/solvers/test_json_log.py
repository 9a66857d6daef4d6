"""The log of JSON objects."""

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import DataError
from blobnet.solvers.callbacks import JsonLog

SETTINGS = 'max_iter: 4 display: 2 test_iter: 1 test_interval: 3 snapshot: 3 snapshot_prefix: "run"'


def read(path="log.json"):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_lines(make_solver):
    solver, start = make_solver(SETTINGS, dtype="float64"), time.time()
    solver.watch(JsonLog("log.json"))
    solver.solve()
    lines = read()
    assert start - 0.01 <= lines[0]["time"] <= lines[-1]["time"] <= time.time() + 0.01
    for line in lines:
        line.pop("time")
    rate = pytest.approx(0.1)
    losses = [0.9 ** (2 * i) / 2 for i in range(5)]
    assert lines == [
        {"iteration": 0, "test": {"loss": 0.5}},
        {"iteration": 0, "loss": 0.5, "smoothed_loss": 0.5, "rate": rate, "outputs": {"loss": 0.5}},
        {"iteration": 2, "loss": pytest.approx(losses[2]), "smoothed_loss": pytest.approx(losses[2]), "rate": rate,
         "outputs": {"loss": pytest.approx(losses[2])}},
        {"iteration": 3, "snapshot": "run_iter_3.solverstate"},
        {"iteration": 3, "test": {"loss": pytest.approx(losses[3])}},
        {"iteration": 4, "snapshot": "run_iter_4.solverstate"}]


@pytest.mark.parametrize("settings, every, expected", [("display: 2", 0, [0, 2, 4]), ("display: 2", 3, [0, 3]),
                                                       ("", 0, [0, 1, 2, 3, 4])])
def test_how_often(make_solver, settings, every, expected):
    solver = make_solver(settings)
    solver.watch(JsonLog("log.json", every))
    solver.step(5)
    assert [line["iteration"] for line in read()] == expected


def test_outputs_that_are_no_single_finite_number(make_solver, scalar_net):
    net = scalar_net + """
        layer { name: "two" type: "Concat" bottom: "ip" bottom: "ip" top: "two" }
        layer { name: "big" type: "DummyData" top: "big" dummy_data_param {
          shape { dim: 1 } data_filler { value: 3 } } }"""
    solver, log = make_solver("", net=net), JsonLog("log.json")
    solver.watch(log)
    solver.step(1)
    log.after_test(solver, [{"a": np.array(math.nan)}, {"a": np.array([[1, math.inf]])}])
    first, last = read()
    assert first["outputs"] == {"loss": 0.5, "two": [1, 1], "big": 3}
    assert last["test"] == {"a": None, "a#1": [1, None]}


def test_a_new_run_begins_anew_and_a_restored_one_goes_on(make_solver):
    for _ in range(2):
        solver = make_solver('snapshot_prefix: "run"')
        solver.watch(JsonLog("log.json"))
        solver.step(2)
        state = solver.snapshot()[1]
        solver.step(3)
        assert [(line["iteration"], "snapshot" in line) for line in read()] == [
            (0, False), (1, False), (2, True), (2, False), (3, False), (4, False)]
    solver.restore(state)
    solver.step(1)
    assert [line["iteration"] for line in read()] == [0, 1, 2, 2]


@pytest.mark.parametrize("text, words", [
    ("base_lr: 1\n", r"net.txt:1: expected an object with an iteration, as this log has, got 'base_lr: 1'"),
    ('{"iteration": 1}\n[3]\n', "net.txt:2"), ("no line", "net.txt: expected a log of JSON objects")])
def test_other_files_are_left_alone(make_solver, text, words):
    Path("net.txt").write_text(text)
    with pytest.raises(DataError, match=words):
        make_solver("").watch(JsonLog("net.txt"))
    assert Path("net.txt").read_text() == text


def test_no_folder(make_solver):
    with pytest.raises(DataError, match="there is no folder 'no'; create it first"):
        make_solver("").watch(JsonLog("no/log.json"))
