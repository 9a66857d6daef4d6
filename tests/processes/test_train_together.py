"""`mpiexec -n N blobnet train`: one log, snapshots of one process, one end for all."""

import os
import random
import signal
import time

import h5py
import numpy as np
import pytest
from mpi_runs import needs_mpi, start

from blobnet.proto.files import read_message

pytestmark = needs_mpi
NET = """
layer { name: "data" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "list.txt" batch_size: 4 } }
layer { name: "drop" type: "Dropout" bottom: "data" top: "drop" }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" random_seed: 3 display: 5 snapshot_prefix: "PREFIX"
test_iter: 2 test_interval: 5 max_iter: ITERATIONS snapshot: EVERY
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with data and a net; `write(prefix, iterations, every)` writes a solver file."""
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["data"], file["label"] = rng.normal(0, 1, (60, 5)), rng.integers(0, 3, 60).astype(float)
    (tmp_path / "list.txt").write_text("data.h5\n")
    (tmp_path / "net.prototxt").write_text(NET)
    write(tmp_path, "run", 10)
    return tmp_path


def write(folder, prefix, iterations, every=4):
    text = SOLVER.replace("PREFIX", prefix).replace("ITERATIONS", str(iterations)).replace("EVERY", str(every))
    (folder / "solver.prototxt").write_text(text)


def train(folder, count, *flags):
    """Exit status and log."""
    with start(count, "-m", "blobnet", "train", "--solver", "solver.prototxt", *flags, cwd=folder) as started:
        _, log = started.communicate(timeout=60)
    return started.returncode, log


def weights(folder, name):
    net = read_message(folder / name, "NetParameter")
    return [list(blob.data) for layer in net.layer for blob in layer.blobs]


def test_one_log_and_a_resumed_run_of_as_many_is_the_same(folder):
    status, log = train(folder, 2)
    assert status == 0, log
    for line in ("Training in 2 processes: a global batch of 8", "Iteration 5, Testing net (#0)",
                 "Snapshotting to binary proto file run_iter_10.caffemodel"):
        assert log.count(line) == 1, log
    write(folder, "resumed", 7)
    train(folder, 2)
    write(folder, "resumed", 10)
    status, log = train(folder, 2, "--resume")
    assert "Resuming from resumed_iter_7.solverstate" in log
    assert weights(folder, "resumed_iter_10.caffemodel") == weights(folder, "run_iter_10.caffemodel")
    write(folder, "resumed", 12)
    status, log = train(folder, 3, "--resume")
    assert status == 0 and "was written by 2 processes, and 3 go on: the global batch is another" in log


def test_an_error_of_one_ends_all_with_its_message(folder):
    with h5py.File(folder / "data.h5", "r+") as file:
        file["label"][4 * 3] = 7  # batch 3, which process 1 reads
    begin = time.monotonic()
    status, log = train(folder, 2)
    assert status == 1 and time.monotonic() - begin < 30
    assert log.strip().splitlines()[-1].startswith("blobnet: process 1: net.prototxt:6:28: layer 'loss' (Softmax")
    assert log.count("blobnet: ") == 1, log


def test_a_stop_that_one_is_asked_for_stops_all(folder):
    write(folder, "run", 10 ** 6, 0)
    with start(3, "-c", """
import os, signal, sys
from blobnet.solvers.solver import Solver
from blobnet.cli import main
step = Solver._pass
def slower(self):
    step(self)
    if self.iter == 20 and os.environ["PMI_RANK"] == "2":
        os.kill(os.getpid(), signal.SIGTERM)
Solver._pass = slower
sys.exit(main(["train", "--solver", "solver.prototxt"]))
""", cwd=folder) as started:
        _, log = started.communicate(timeout=60)
    assert started.returncode == 0 and "Optimization stopped early" in log
    assert (folder / "run_iter_21.solverstate").exists()


def kill_one(folder, seed):
    """Train in three processes and kill one of them; the exit status, the seconds until all had ended, and the log."""
    draw = random.Random(seed)
    with start(3, "-c", """
import os, sys
from pathlib import Path
from blobnet.cli import main
Path("process_" + os.environ["PMI_RANK"]).write_text(str(os.getpid()))
sys.exit(main(["train", "--solver", "solver.prototxt", "--resume"]))
""", cwd=folder) as started:
        victim = folder / f"process_{draw.randrange(3)}"
        while not victim.exists() or not victim.read_text():
            time.sleep(0.01)
        time.sleep(draw.uniform(0.5, 4))
        os.kill(int(victim.read_text()), signal.SIGKILL)
        begin = time.monotonic()
        output, log = started.communicate(timeout=60)
    for path in folder.glob("process_*"):
        while time.monotonic() - begin < 60 and runs(int(path.read_text())):
            time.sleep(0.05)
        path.unlink()
    return started.returncode, time.monotonic() - begin, output + log


def runs(process):
    """Whether a process of this number runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.slow)])
def test_a_killed_process_ends_all_and_the_run_goes_on(folder, kills):
    write(folder, "run", 10 ** 6, 20)
    for seed in range(kills):
        status, seconds, log = kill_one(folder, seed)
        assert status and seconds < 10, log
        assert "Killed (signal 9)" in log or "mpiexec@" in log, log  # the second while the processes are connected
    states = list(folder.glob("run_iter_*.solverstate"))
    last = max([int(path.stem.rpartition("_")[2]) for path in states], default=0)
    write(folder, "run", last + 5)
    status, log = train(folder, 3, "--resume")
    assert status == 0 and (folder / f"run_iter_{last + 5}.caffemodel").exists(), log
