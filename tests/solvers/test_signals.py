import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from blobnet.solvers import SOLVERS
from blobnet.solvers.signals import handle_signals
from blobnet.solvers.snapshot import find_latest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

# trains until it is told to stop, and says at which iteration it begins and ends
SCRIPT = """
from blobnet.solvers import get_solver
from blobnet.solvers.signals import handle_signals
from blobnet.solvers.snapshot import find_latest
solver = get_solver("solver.prototxt")
latest = find_latest(solver.param.snapshot_prefix)
if latest:
    solver.restore(latest)
with handle_signals(solver):
    print("ready", solver.iter, flush=True)
    solver.solve()
print("ended", solver.iter, flush=True)
"""


@pytest.fixture
def start(make_solver, random_net, tmp_path):
    processes = []

    def start(settings):
        make_solver(settings, net=random_net)
        path = os.pathsep.join(filter(None, sys.path))
        processes.append(subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True,
                                          cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}))
        word, iteration = processes[-1].stdout.readline().split()
        assert word == "ready"
        return processes[-1], int(iteration)

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_interrupt_ends_in_good_order(start, tmp_path):
    process, _ = start('max_iter: 100000000 snapshot_prefix: "run"')
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    iteration = int(process.stdout.read().split()[1])
    assert find_latest(str(tmp_path / "run")) == str(tmp_path / f"run_iter_{iteration}.solverstate")


def test_hangup_writes_a_snapshot_and_goes_on(start, tmp_path):
    process, _ = start('max_iter: 100000000 snapshot_prefix: "run" snapshot_after_train: false')
    process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while find_latest(str(tmp_path / "run")) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert find_latest(str(tmp_path / "run")) is not None
    assert process.poll() is None


def _kill(start, make_solver, net, rounds, settings="", longest=0.1):
    """Kill a run that always writes snapshots, `rounds` times, and compare what it left with an undisturbed run.

    A run is killed up to `longest` seconds after it has begun.
    """
    settings += ' max_iter: 100000000 snapshot: 1 snapshot_prefix: "run" random_seed: 5'
    chance, last = random.Random(1), 0
    for _ in range(rounds):
        process, iteration = start(settings)
        assert iteration >= last
        last = iteration
        time.sleep(chance.uniform(0, longest))
        process.kill()
        process.wait()
    assert last > 0
    resumed, whole = (make_solver(settings, net=net) for _ in range(2))
    resumed.restore(find_latest("run"))
    whole.param.snapshot = 0
    whole.step(resumed.iter)
    arrays = [[*solver.history, *(parameter.blob.data for parameter in solver.net.parameters)]
              for solver in (resumed, whole)]
    for mine, theirs in zip(*arrays, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_killed_runs_resume(start, make_solver, random_net):
    _kill(start, make_solver, random_net, 3)


@pytest.mark.slow
@pytest.mark.parametrize("format, rounds, longest", [("BINARYPROTO", 20, 0.1), ("HDF5", 8, 1)])  # loads h5py first
@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_runs_killed_many_times_resume(start, make_solver, random_net, name, format, rounds, longest):
    _kill(start, make_solver, random_net, rounds, f'type: "{name}" snapshot_format: {format}', longest)


def test_second_interrupt_and_former_handlers(make_solver):
    solver, former = make_solver(""), signal.getsignal(signal.SIGINT)
    with handle_signals(solver):
        signal.raise_signal(signal.SIGINT)
        assert solver.stop_requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGHUP)
        assert solver.snapshot_requested
    assert signal.getsignal(signal.SIGINT) is former


@pytest.mark.parametrize("effect, requests", [("stop", (True, False)), ("snapshot", (False, True)),
                                              ("none", (False, False))])
@pytest.mark.parametrize("name", ["sigint", "sighup"])
def test_effects(make_solver, name, effect, requests):
    solver, others = make_solver(""), {"sigint": "none", "sighup": "none"}
    with handle_signals(solver, **{**others, name: effect}):
        for _ in range(1 if effect == "stop" else 2):
            signal.raise_signal(getattr(signal, name.upper()))
        assert (solver.stop_requested, solver.snapshot_requested) == requests
