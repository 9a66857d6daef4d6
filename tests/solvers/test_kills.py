"""Runs that are killed at any moment, and resumed, end as one that is left alone: bit for bit.

Resumed runs have two threads and one by turns, while the one left alone has one. Every second kill falls into the
writing of a snapshot, the others fall anywhere.
BLOBNET_KILLS: how many kills in all, over all solver types and both formats (the slow test; 200 take some minutes).
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from blobnet import backend
from blobnet.ops import correlation, linear
from blobnet.solvers import SOLVERS
from blobnet.solvers import solver as solver_module
from blobnet.solvers.snapshot import find_latest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
KILLS = int(os.environ.get("BLOBNET_KILLS", 56))
CASES = [(name, kind) for name in sorted(SOLVERS) for kind in ("BINARYPROTO", "HDF5")]
SETTINGS = 'type: "{}" snapshot_format: {} max_iter: {} snapshot: 1 snapshot_prefix: "{}" random_seed: 5'
NET = """
name: "split among threads"
layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
  shape { dim: 32 dim: 3 dim: 16 dim: 16 } shape { dim: 32 dim: 256 } data_filler { type: "gaussian" } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param {
  num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param {
  num_output: 256 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" loss_weight: 0.01 }
"""
TEMPORARY = re.compile(r"\.run_iter_.*")


@pytest.fixture
def command(tmp_path):
    """Starts `blobnet train --resume` and waits until it trains."""
    processes = []

    def start(threads=1):
        log = tmp_path / f"log{len(processes)}"
        with open(log, "w") as file:
            processes.append(subprocess.Popen(
                [sys.executable, "-m", "blobnet", "train", "--solver", "solver.prototxt", "--resume"], stderr=file,
                cwd=tmp_path, env={**os.environ, "BLOBNET_NUM_THREADS": str(threads),
                                   "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}))
        while "Starting Optimization" not in log.read_text():
            assert processes[-1].poll() is None, log.read_text()
            time.sleep(0.002)
        return processes[-1], log

    yield start
    for process in processes:
        process.kill()
        process.wait()


def arrays(solver):
    return [*solver.history, *(parameter.blob.data for parameter in solver.net.parameters)]


def number(file):
    return int(str(file).split("_iter_")[1].split(".")[0])


def temporary(folder):
    return set(filter(TEMPORARY.match, os.listdir(folder)))


def kill_and_compare(make_solver, command, folder, name, kind, rounds, longest):
    """Kill a run that writes snapshots all the time `rounds` times, let it end, and compare; counts what was seen."""
    make_solver(SETTINGS.format(name, kind, 10**8, "run"), net=NET)
    chance, seen, left = random.Random(f"{name} {kind}"), Counter(), set()
    for i in range(rounds):
        process, log = command(2 - i // 2 % 2)
        before, end = find_latest(str(folder / "run")), time.monotonic() + 20
        if i % 2:
            while not temporary(folder) - left and time.monotonic() < end:
                pass
        else:
            time.sleep(chance.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen["kills"] += 1
        seen["while a file was written"] += bool(temporary(folder) - left)
        left = temporary(folder)
        seen["warnings"] += "Cannot resume" in log.read_text()
        for file in folder.glob("run_iter_*"):  # keep the folder small
            if before and number(file) < number(before):
                file.unlink()
    latest = find_latest(str(folder / "run"))
    last = (number(latest) if latest else 0) + 3
    make_solver(SETTINGS.format(name, kind, last, "run"), net=NET)
    process, log = command(1)
    assert process.wait(timeout=60) == 0, log.read_text()
    assert not [file for file in os.listdir(folder) if file.startswith(".")]
    whole = make_solver(SETTINGS.format(name, kind, last, "whole"), net=NET)
    whole.param.snapshot = 0
    whole.step(last)
    ended = make_solver(SETTINGS.format(name, kind, last, "run"), net=NET)
    ended.restore(find_latest("run"))
    assert ended.iter == whole.iter == last
    seen["runs"] += 1
    pairs = zip(arrays(ended), arrays(whole), strict=True)
    seen["differences"] += not all(np.array_equal(mine, theirs) for mine, theirs in pairs)
    print(name, kind, dict(seen))
    assert not seen["differences"] and not seen["warnings"]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """For the run left alone."""
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "1")


def test_the_net_is_split_among_threads(make_solver, monkeypatch):
    solver, most = make_solver(SETTINGS.format("SGD", "HDF5", 1, "run"), net=NET), Counter()
    for module in (linear, solver_module):
        monkeypatch.setattr(module, "share", lambda body, pieces, *buffers, module=module: (
            most.update({module: len(pieces) > 1}), backend.share(body, pieces, *buffers))[1])
    monkeypatch.setattr(correlation, "share_in_order", lambda body, finish, pieces: (
        most.update({correlation: len(pieces) > 1}), backend.share_in_order(body, finish, pieces))[1])
    solver.step(1)
    assert most[linear] >= 2 and most[correlation] and most[solver_module]  # forward, and both gradients at once


def test_killed_runs_resume(make_solver, command, tmp_path):
    kill_and_compare(make_solver, command, tmp_path, "SGD", "BINARYPROTO", 2, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name, kind", CASES)
def test_runs_killed_many_times_resume(make_solver, command, tmp_path, name, kind):
    kill_and_compare(make_solver, command, tmp_path, name, kind, -(-KILLS // len(CASES)), 0.5)
