"""One run to a prefix; what killed runs left; disks that are full; and states that --resume passes over."""

import errno
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.errors import DataError, SolverError
from blobnet.proto.storage import atomic_write
from blobnet.solvers import run_lock

LEFT = ".run_iter_3.caffemodel.ab_12xyz"
needs_locks = pytest.mark.skipif(run_lock.fcntl is None, reason="locks of the system")


@needs_locks
def test_two_runs(make_solver):
    """The lock is held while a run may write, and leaves nothing behind."""
    first, second = make_solver('snapshot: 2 snapshot_prefix: "run"'), make_solver('snapshot_prefix: "run"')
    other = make_solver('snapshot_prefix: "other"')

    def meddle():
        with pytest.raises(SolverError, match=rf"another run .* 'run': process {os.getpid()} on .*, since 20"):
            second.snapshot()
        other.snapshot()

    first.add_callback(on_start=meddle)
    first.step(3)
    second.snapshot()
    assert not [file for file in os.listdir() if file.startswith(".")]


@needs_locks
def test_a_lock_ends_with_its_process(make_solver, tmp_path):
    solver = make_solver('snapshot_prefix: "run"')
    holder = subprocess.Popen([sys.executable, "-c", "import sys, time\nfrom blobnet.solvers.run_lock import run_lock\n"
                               "with run_lock('run', 'x'): print(flush=True); time.sleep(100)"], stdout=subprocess.PIPE,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, cwd=tmp_path)
    holder.stdout.readline()
    with pytest.raises(SolverError, match=f"process {holder.pid} on"):
        solver.snapshot()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert os.path.exists(".run.lock")
    solver.snapshot()


@pytest.mark.parametrize("locks", ["here", "none in the file system", "none in the system"])
@pytest.mark.parametrize("old", [False, True])
def test_files_left_by_killed_runs(make_solver, monkeypatch, locks, old):
    """Ours are removed: all of them where the lock tells that no one writes, else those of yesterday."""
    if locks == "here" and run_lock.fcntl is None:
        pytest.skip("no locks")
    solver = make_solver('max_iter: 1 snapshot_prefix: "run"')
    if locks == "none in the system":
        monkeypatch.setattr(run_lock, "fcntl", None)
    elif locks != "here":
        def refuse(*args):
            raise OSError(errno.ENOLCK, "No locks available")
        monkeypatch.setattr(run_lock.fcntl, "flock", refuse)
    others = [".other_iter_3.caffemodel.ab_12xyz", ".run_iter_3.caffemodel.mine", "run_iter_2.caffemodel"]
    for file in (LEFT, *others):
        Path(file).touch()
        if old:
            os.utime(file, (time.time() - 2 * run_lock.OLD,) * 2)
    solver.solve()
    assert os.path.exists(LEFT) == (locks != "here" and not old)
    assert all(map(os.path.exists, [*others, "run_iter_1.solverstate"]))


@pytest.mark.parametrize("kind", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("limit", [10, 300])  # bytes: of the weights, of the state
def test_a_full_disk(make_solver, random_net, kind, limit):
    """The file is not begun, what was there stays whole, and the error says how much room there is."""
    resource = pytest.importorskip("resource")
    solver = make_solver(f'snapshot_prefix: "run" snapshot_format: {kind}', net=random_net)
    solver.snapshot()
    before = {file: Path(file).read_bytes() for file in os.listdir() if "iter" in file}
    solver.step(1)
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (min(limit, *(len(data) - 1 for data in before.values())), former[1]))
    try:
        with pytest.raises(DataError) as caught:
            solver.snapshot()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert all(word in str(caught.value) for word in ["run_iter_1.caffemodel", "cannot write", "bytes free in '.'"])
    assert {file: Path(file).read_bytes() for file in os.listdir() if "iter" in file} == before
    fresh = make_solver(f'snapshot_prefix: "run" snapshot_format: {kind}', net=random_net)
    assert fresh.iter == 0 and "run_iter_0" in fresh.resume()
    solver.snapshot()


def test_the_need_is_named(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left.*expected room for 7000 bytes, got .* bytes free"):
        with atomic_write(tmp_path / "a", 7000) as file:
            file.write(b"x")
    with pytest.raises(DataError, match="expected room for more than 1 bytes"):
        with atomic_write(tmp_path / "a") as file:
            file.write(b"x")
    assert not os.listdir(tmp_path)


def test_other_errors_of_the_block_pass(tmp_path):
    with pytest.raises(OSError, match="elsewhere"), atomic_write(tmp_path / "a"):
        raise OSError(errno.EIO, "elsewhere")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("kind, end", [("BINARYPROTO", ""), ("HDF5", ".h5")])
def test_weights_of_another_iteration(make_solver, random_net, kind, end):
    settings = f'snapshot_prefix: "run" snapshot_format: {kind}'
    solver = make_solver(settings, net=random_net)
    for _ in range(2):
        solver.step(1)
        solver.snapshot()
    shutil.copy(f"run_iter_1.caffemodel{end}", f"run_iter_2.caffemodel{end}")
    fresh = make_solver(settings, net=random_net)
    with pytest.raises(SolverError, match=f"_2.solverstate{end}: the weights in 'run_iter_2.caffemodel{end}' are not"):
        fresh.restore(f"run_iter_2.solverstate{end}")
    assert fresh.iter == 0


def _spoil(what):
    if what == "the state":
        with open("run_iter_4.solverstate", "r+b") as file:
            file.truncate(60)
    elif what == "the weights":
        with open("run_iter_4.caffemodel", "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x01")
    else:
        os.unlink("run_iter_4.caffemodel")


@pytest.mark.parametrize("what", ["the state", "the weights", "no weights"])
def test_resume_falls_back(make_solver, random_net, caplog, what):
    settings = 'max_iter: 6 snapshot: 2 random_seed: 1 snapshot_prefix: '
    whole = make_solver(settings + '"whole"', net=random_net)
    whole.solve()
    make_solver(settings.replace("6", "4") + '"run"', net=random_net).solve()
    _spoil(what)
    solver = make_solver(settings + '"run"', net=random_net)
    with caplog.at_level(logging.WARNING):
        assert solver.resume() == "run_iter_2.solverstate"
    assert "Cannot resume from run_iter_4.solverstate, trying the one before" in caplog.text
    solver.solve()
    for mine, theirs in zip(solver.net.parameters, whole.net.parameters):
        np.testing.assert_array_equal(mine.blob.data, theirs.blob.data)


def test_resume_of_nothing_but_damage(make_solver):
    solver = make_solver('snapshot_prefix: "run"')
    assert solver.resume() is None
    for number in (3, 40):
        Path(f"run_iter_{number}.solverstate").touch()
    with pytest.raises(Exception, match="run_iter_40.solverstate"):
        solver.resume()


@pytest.mark.parametrize("at", [4, 6])
def test_resume_where_all_is_done(make_solver, capsys, at):
    make_solver(f'max_iter: {at} snapshot_prefix: "run"').solve()
    before = Path(f"run_iter_{at}.caffemodel").read_bytes()
    make_solver('max_iter: 4 snapshot_prefix: "run"')
    assert main(["train", "--solver", "solver.prototxt", "--resume"]) == 0
    assert Path(f"run_iter_{at}.caffemodel").read_bytes() == before
    capsys.readouterr()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_exit_status(make_solver, capsys):
    """1 where the loss is not finite, unless --allow-nan goes on."""
    make_solver('max_iter: 20 base_lr: 1e25 snapshot: 1 snapshot_prefix: "run"')
    assert main(["train", "--solver", "solver.prototxt"]) == 1
    assert "not finite" in capsys.readouterr().err
    assert not os.path.exists("run_iter_20.solverstate")
    assert main(["train", "--solver", "solver.prototxt", "--allow-nan"]) == 0
    assert os.path.exists("run_iter_20.solverstate")
    capsys.readouterr()
