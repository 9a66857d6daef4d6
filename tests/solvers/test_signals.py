import os
import random
import signal
import subprocess
import sys
import time

import pytest

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


def _kill(start, rounds):
    """Kill a run that always writes snapshots, `rounds` times; the run after it must find a whole one."""
    chance, last = random.Random(1), 0
    for _ in range(rounds):
        process, iteration = start('max_iter: 100000000 snapshot: 1 snapshot_prefix: "run"')
        assert iteration >= last
        last = iteration
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.wait()
    assert last > 0


def test_killed_runs_resume(start):
    _kill(start, 3)


@pytest.mark.slow
def test_runs_killed_many_times_resume(start):
    _kill(start, 20)


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
