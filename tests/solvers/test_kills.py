"""Runs that are killed at any moment, and resumed, end as one that is left alone: bit for bit.

BLOBNET_KILLS: how many kills in all, over six solvers and two formats (the slow test; 200 take some minutes).
BLOBNET_KILLS_THREADS=1: resumed runs have one and two threads by turns, while the one left alone has one.
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

from blobnet.solvers import SOLVERS
from blobnet.solvers.snapshot import find_latest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
KILLS, THREADS = int(os.environ.get("BLOBNET_KILLS", 48)), os.environ.get("BLOBNET_KILLS_THREADS") == "1"
CASES = [(name, kind) for name in sorted(set(SOLVERS) - {"LBFGS"}) for kind in ("BINARYPROTO", "HDF5")]
SETTINGS = 'type: "{}" snapshot_format: {} max_iter: {} snapshot: 1 snapshot_prefix: "{}" random_seed: 5'
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


def kill_and_compare(make_solver, net, command, folder, name, kind, rounds, longest):
    """Kill a run that writes snapshots all the time `rounds` times, let it end, and compare; counts what was seen."""
    make_solver(SETTINGS.format(name, kind, 10**8, "run"), net=net)
    chance, seen = random.Random(f"{name} {kind}"), Counter()
    for i in range(rounds):
        process, log = command(1 + i % 2 if THREADS else 1)
        before = find_latest(str(folder / "run"))
        end = time.monotonic() + 20
        while not any(TEMPORARY.match(file) for file in os.listdir(folder)) and time.monotonic() < end:
            time.sleep(0.001)  # HDF5 is loaded first
        time.sleep(chance.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen["kills"] += 1
        left = [file for file in os.listdir(folder) if TEMPORARY.match(file)]
        seen["while a file was written"] += bool(left)
        seen["warnings"] += "Cannot resume" in log.read_text()
        for file in folder.glob("run_iter_*"):  # keep the folder small
            number = int(file.name.split("_iter_")[1].split(".")[0])
            if before and number < int(before.split("_iter_")[1].split(".")[0]):
                file.unlink()
    latest = find_latest(str(folder / "run"))
    last = int(latest.split("_iter_")[1].split(".")[0]) + 3
    make_solver(SETTINGS.format(name, kind, last, "run"), net=net)
    process, log = command(1)
    assert process.wait(timeout=60) == 0, log.read_text()
    assert not [file for file in os.listdir(folder) if file.startswith(".")]
    whole = make_solver(SETTINGS.format(name, kind, last, "whole"), net=net)
    whole.param.snapshot = 0
    whole.step(last)
    ended = make_solver(SETTINGS.format(name, kind, last, "run"), net=net)
    ended.restore(find_latest("run"))
    assert ended.iter == whole.iter == last > rounds
    seen["runs"] += 1
    pairs = zip(arrays(ended), arrays(whole), strict=True)
    seen["differences"] += not all(np.array_equal(mine, theirs) for mine, theirs in pairs)
    print(name, kind, dict(seen))
    assert not seen["differences"] and not seen["warnings"]


def test_killed_runs_resume(make_solver, random_net, command, tmp_path):
    kill_and_compare(make_solver, random_net, command, tmp_path, "SGD", "BINARYPROTO", 2, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name, kind", CASES)
def test_runs_killed_many_times_resume(make_solver, random_net, command, tmp_path, name, kind):
    kill_and_compare(make_solver, random_net, command, tmp_path, name, kind, -(-KILLS // len(CASES)), 0.1)
