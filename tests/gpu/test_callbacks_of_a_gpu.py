"""Callbacks and the search of a rate, where losses stay on the device until somebody reads them."""

import json
from pathlib import Path

import numpy as np

from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.solvers.callbacks import BestSnapshot, EarlyStopping, JsonLog, find_rate

SOLVER = """
base_lr: 0.05 lr_policy: "fixed" random_seed: 1 max_iter: 8 display: 2 momentum: 0.9 snapshot_prefix: "run"
test_iter: 2 test_interval: 4
net_param {
  layer { name: "data" type: "DummyData" top: "x" top: "t" dummy_data_param {
    shape { dim: 8 dim: 6 } shape { dim: 8 dim: 2 } data_filler { type: "gaussian" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
    num_output: 2 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
}
"""


def test_callbacks(gpu, tmp_path, monkeypatch):
    """The run is the one without them, and the search leaves no trace."""
    monkeypatch.chdir(tmp_path)
    plain, watched = (get_solver(parse(SOLVER, "SolverParameter"), device="gpu") for _ in range(2))
    found = find_rate(watched, 1e-3, 100, 20)
    assert found.losses[0] > found.losses[5:].min() and "4 times" in found.ended
    for callback in (JsonLog("log.json"), BestSnapshot("loss"), EarlyStopping("loss", 9)):
        watched.watch(callback)
    for solver in (plain, watched):
        solver.solve()
    for mine, theirs in zip(watched.net.parameters, plain.net.parameters, strict=True):
        np.testing.assert_array_equal(mine.blob.data.get(), theirs.blob.data.get())
    lines = [json.loads(line) for line in Path("log.json").read_text().splitlines()]
    losses = dict(zip(*(array.tolist() for array in plain.losses.points())))
    assert {line["iteration"]: line["loss"] for line in lines if "loss" in line} == {i: losses[i] for i in (0, 2, 4, 6)}
    assert [line["iteration"] for line in lines if "test" in line] == [0, 4, 8]
