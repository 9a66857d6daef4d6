import os
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
with handle_signals(solver.request_stop, solver.request_snapshot):
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


def test_terminate_ends_in_good_order(start, tmp_path):
    process, _ = start('max_iter: 100000000 snapshot_prefix: "run"')
    for _ in range(2):  # as timeout(1) does
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    iteration = int(process.stdout.read().split()[1])
    assert find_latest(str(tmp_path / "run")) == str(tmp_path / f"run_iter_{iteration}.solverstate")


def test_terminate_while_testing(start, tmp_path):
    """The run goes on from there as if it had not been stopped."""
    settings = 'max_iter: 5 test_iter: 1000000 test_interval: 3 snapshot_prefix: "run" random_seed: 3'
    process, _ = start(settings)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert process.stdout.read().split() == ["ended", "0"]
    assert find_latest(str(tmp_path / "run")) == str(tmp_path / "run_iter_0.solverstate")


@pytest.mark.parametrize("settings", ["snapshot: 1", "snapshot: 3", ""])
def test_a_stop_while_a_snapshot_is_written(make_solver, settings, monkeypatch):
    solver = make_solver(f'max_iter: 9 snapshot_prefix: "run" {settings}')
    save = solver.net.save
    monkeypatch.setattr(solver.net, "save", lambda *args, **kwargs: (signal.raise_signal(signal.SIGTERM),
                                                                      save(*args, **kwargs)))
    with handle_signals(solver.request_stop, solver.request_snapshot):
        solver.solve()
    last = {"snapshot: 1": 1, "snapshot: 3": 3, "": 9}[settings]
    assert find_latest("run") == f"run_iter_{last}.solverstate" and solver.iter == last
    assert not solver.stop_requested
    monkeypatch.undo()


def test_second_interrupt_and_former_handlers(make_solver):
    solver, former = make_solver(""), signal.getsignal(signal.SIGINT)
    with handle_signals(solver.request_stop, solver.request_snapshot):
        signal.raise_signal(signal.SIGINT)
        assert solver.stop_requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGHUP)
        assert solver.snapshot_requested
    assert signal.getsignal(signal.SIGINT) is former


@pytest.mark.parametrize("effect, requests", [("stop", (True, False)), ("snapshot", (False, True)),
                                              ("none", (False, False))])
@pytest.mark.parametrize("name", ["sigint", "sighup", "sigterm"])
def test_effects(make_solver, name, effect, requests):
    solver, others = make_solver(""), {"sigint": "none", "sighup": "none", "sigterm": "none"}
    with handle_signals(solver.request_stop, solver.request_snapshot, **{**others, name: effect}):
        for _ in range(1 if effect == "stop" else 2):
            signal.raise_signal(getattr(signal, name.upper()))
        assert (solver.stop_requested, solver.snapshot_requested) == requests
