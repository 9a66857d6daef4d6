import os
import random
import signal
import subprocess
import sys
import time

import pytest

from blobnet.solvers import get_solver
from blobnet.solvers.signals import handle_signals
from blobnet.solvers.snapshot import find_latest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

# trains until it is told to stop, and says after which iteration it is
SCRIPT = """
import sys
from blobnet.solvers import get_solver
from blobnet.solvers.signals import handle_signals
from blobnet.solvers.snapshot import find_latest
solver = get_solver("solver.prototxt")
latest = find_latest(solver.param.snapshot_prefix)
if latest:
    solver.restore(latest)
print("ready", solver.iter, flush=True)
with handle_signals(solver):
    solver.solve()
print("ended", solver.iter, flush=True)
"""


@pytest.fixture
def start(make_solver, random_net, tmp_path):
    processes = []

    def start(settings):
        make_solver(settings, net=random_net)
        processes.append(subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
                                          env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}))
        word, iteration = processes[-1].stdout.readline().split()
        assert word == "ready"
        return processes[-1], int(iteration)

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_interrupt_ends_in_good_order(start, tmp_path):
    process, _ = start('max_iter: 100000000 snapshot_prefix: "run"')
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    iteration = int(output.split()[1])
    assert find_latest(str(tmp_path / "run")) == str(tmp_path / f"run_iter_{iteration}.solverstate")


def test_hangup_writes_a_snapshot_and_goes_on(start, tmp_path):
    process, _ = start('max_iter: 100000000 snapshot_prefix: "run" snapshot_after_train: false')
    process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while find_latest(str(tmp_path / "run")) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert find_latest(str(tmp_path / "run")) is not None
    assert process.poll() is None


def _rounds(start, tmp_path, rounds):
    """Kill a run that always writes snapshots, `rounds` times; the run after it must find a whole one."""
    chance, last = random.Random(1), 0
    for _ in range(rounds):
        process, iteration = start('max_iter: 100000000 snapshot: 1 snapshot_prefix: "run"')
        assert iteration >= last
        last = iteration
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for file in tmp_path.glob("run_iter_*"):  # only the end matters
            if file.name not in (f"run_iter_{n}.{kind}" for n in _newest(tmp_path) for kind in ("caffemodel", "solverstate")):
                file.unlink()
    assert last > 0


def _newest(tmp_path):
    return sorted((int(path.stem.rsplit("_", 1)[1]) for path in tmp_path.glob("run_iter_*")), reverse=True)[:3]


def test_killed_runs_resume(start, tmp_path):
    _rounds(start, tmp_path, 3)


@pytest.mark.slow
def test_runs_killed_many_times_resume(start, tmp_path):
    _rounds(start, tmp_path, 20)


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
