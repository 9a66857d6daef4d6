"""The CuPy path against formulas, layer by layer, and against the NumPy path on a whole published net.

Run with `make gpu` where there is a GPU.
"""

from pathlib import Path

import numpy as np
import pytest
from layer_cases import CASES

import blobnet
from blobnet.backend import gpu_available, to_host
from blobnet.check.forward import check_forward
from blobnet.netdef.load import load
from blobnet.netdef.without_data import without_data
from blobnet.proto.messages import new

pytestmark = pytest.mark.gpu
NET = Path(__file__).resolve().parent.parent / "prototxt/dsh/train_test_12.prototxt"
WITH_FORMULA = [name for name, case in CASES.items()
                if (case.expected or case.type.formula) and "FOLDER" not in case.source]


@pytest.fixture(scope="module")
def definition():
    return without_data(load(NET, blobnet.TRAIN), {"data": (8, 3, 32, 32), "label": (8,)})


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    return {"data": rng.normal(0, 50, (8, 3, 32, 32)).astype("float32"),
            "label": rng.integers(0, 3, 8).astype("float32")}


def test_there_is_a_gpu():
    assert gpu_available()


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_forward_is_the_formula_on_the_device(name):
    case = CASES[name]
    result = check_forward(case.build(device="gpu"), case.expected)
    assert result.passed, result.note


def test_same_gradients_as_on_the_cpu(definition, inputs):
    nets = [blobnet.Net(definition, blobnet.TRAIN, device=device, random_seed=1) for device in ("cpu", "gpu")]
    for net in nets:
        net.forward(**inputs)
        net.backward()
    cpu, gpu = nets
    assert gpu.loss == pytest.approx(cpu.loss, rel=1e-5)
    for mine, theirs in zip(cpu.parameters, gpu.parameters):
        want = mine.blob.diff
        assert np.abs(to_host(theirs.blob.diff) - want).max() <= 1e-4 * np.abs(want).max()


def test_trains_like_the_cpu(definition, inputs):
    losses = {}
    for device in ("cpu", "gpu"):
        settings = new("SolverParameter", net_param=definition, base_lr=1e-4, momentum=0.9, lr_policy="fixed",
                       random_seed=1, snapshot_after_train=False)
        solver = blobnet.get_solver(settings, device=device)
        for name, values in inputs.items():
            solver.net.blobs[name].data[...] = solver.net.xp.asarray(values)
        losses[device] = []
        for _ in range(10):
            solver.step(1)
            losses[device].append(solver.net.loss)
    assert losses["gpu"] == pytest.approx(losses["cpu"], rel=1e-3)
    assert losses["cpu"][-1] < losses["cpu"][0]
