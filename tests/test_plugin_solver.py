"""A solver type of a user, in one file: the example."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import SolverError
from blobnet.plugins import load_plugin
from blobnet.proto import messages
from blobnet.proto.text import parse
from blobnet.solvers import SOLVERS, get_solver

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "03_plugin_solver.py"
SETTINGS = '''type: "Lion" base_lr: 0.125 lr_policy: "fixed" solver_mode: CPU net_param {
  layer { name: "x" type: "DummyData" top: "x" top: "y" dummy_data_param {
    shape { dim: 1 dim: 1 } data_filler { value: 1 } data_filler { value: 0 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
    num_output: 1 bias_term: false weight_filler { value: 0.25 } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "loss" } } '''


def run(*words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env=environment,
                          cwd=ROOT, timeout=120)


@pytest.fixture
def plugin(monkeypatch):
    """The example, loaded; solver types, schema and modules are afterwards as they were before."""
    monkeypatch.setattr("blobnet.solvers.registry.SOLVERS", dict(SOLVERS))
    monkeypatch.setattr("blobnet.proto.messages._extensions", dict(messages._extensions))
    yield load_plugin(EXAMPLE)
    del sys.modules["blobnet_plugin_03_plugin_solver"]
    monkeypatch.undo()
    messages._pool.cache_clear()


def test_the_example_runs():
    done = run("-W", "error", EXAMPLE)
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"^(\w+) +loss (\S+) at first, (\S+) after training$", done.stdout, re.MULTILINE)
    assert [name for name, _, _ in losses] == ["Lion", "SGD", "Nesterov", "AdaGrad", "Adam"]
    assert all(float(after) < float(before) / 3 for _, before, after in losses)
    assert done.stdout.endswith("a resumed run is the uninterrupted one: yes\n")


# The gradient is the weight, 1/4 at first; steps of 1/8, so it is 1/8, then 0, then the mean is not yet 0.
@pytest.mark.parametrize("settings, weights, mean", [
    ("", [0.125, 0, -0.125], (0.25 * 0.01 * 0.99 + 0.125 * 0.01) * 0.99),
    ("lion_param { beta1: 0 }", [0.125, 0, 0], (0.25 * 0.01 * 0.99 + 0.125 * 0.01) * 0.99),
    ("lion_param { beta1: 1 beta2: 0 }", [0.25, 0.125, 0], 0.125),  # one step late
])
def test_its_steps(plugin, settings, weights, mean):
    solver = get_solver(parse(SETTINGS + settings, "SolverParameter"), dtype="float64")
    got = []
    for _ in weights:
        solver.step(1)
        got.append(solver.net.params["ip"][0].data.item())
    np.testing.assert_array_equal(got, weights)
    assert solver.history[0].item() == pytest.approx(mean, rel=1e-6)


def test_its_check(plugin):
    with pytest.raises(SolverError, match=r"expected beta2 in \[0, 1\] for Lion, got 1.5"):
        get_solver(parse(SETTINGS + "lion_param { beta2: 1.5 }", "SolverParameter"))


def test_train_with_it():
    words = "-m", "blobnet", "train", "--solver", EXAMPLE.with_suffix(".prototxt")
    done = run(*words, "--plugin", EXAMPLE)
    assert done.returncode == 0 and "Optimization Done." in done.stderr, done.stderr
    done = run(*words)
    assert done.returncode == 1
    assert "03_plugin_solver.prototxt:3:1: SolverParameter has no field 'lion_param'" in done.stderr
