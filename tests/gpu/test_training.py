"""Training on a GPU: losses, gradients, parameters and snapshots are those of the CPU."""

from pathlib import Path

import numpy as np
import pytest
from tiny import INPUTS, net, numbers, parameters, solver

import blobnet
from blobnet.backend import gpu_available
from blobnet.core.without_data import without_data
from blobnet.errors import DataError, DeviceError, SolverError
from blobnet.netdef.load import load
from blobnet.proto.messages import new
from blobnet.solvers.registry import SOLVERS

pytestmark = pytest.mark.usefixtures("gpu")
DSH = Path(__file__).resolve().parents[2] / "prototxt/dsh/train_test_12.prototxt"
SETTINGS = {
    "SGD": "base_lr: 0.01 momentum: 0.9", "Nesterov": "base_lr: 0.01 momentum: 0.9",
    "AdaGrad": "base_lr: 0.01", "RMSProp": "base_lr: 0.001 rms_decay: 0.95", "AdaDelta": "base_lr: 1 momentum: 0.95",
    "Adam": "base_lr: 0.001 momentum: 0.9", "AdamW": "base_lr: 0.001 momentum: 0.9", "LBFGS": "",
}
MORE = "iter_size: 2 clip_gradients: 0.5 regularization_type: 'L1'"
ALL = [pytest.param(f'type: "{kind}" weight_decay: 0.01 {settings}', id=kind) for kind, settings in SETTINGS.items()]
ALL += [pytest.param(f'type: "{kind}" weight_decay: 0.01 {SETTINGS[kind]} {MORE}', id=f"{kind} more")
        for kind in SETTINGS if kind != "LBFGS"]


@pytest.fixture(scope="module")
def dsh():
    return without_data(load(DSH, blobnet.TRAIN), {"data": (4, 3, 32, 32), "label": (4,)})


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return {"data": rng.normal(0, 50, (4, 3, 32, 32)).astype("float32"), "label": np.float32([0, 1, 0, 2])}


def test_there_is_a_gpu():
    assert gpu_available()
    assert net().xp.__name__ != "numpy"


def test_every_solver_type_is_tried():
    assert SETTINGS.keys() == SOLVERS.keys()


@pytest.mark.parametrize("settings", ALL)
def test_a_solver_gives_the_same(settings):
    both = [solver(settings, device, "float64") for device in ("cpu", "gpu")]
    for _ in range(1 if "LBFGS" in settings else 3):
        for each in both:
            each.step(1)
        assert both[1].loss == pytest.approx(both[0].loss, rel=1e-9)
    for one, other in zip(*([parameters(each.net), numbers([np.empty(0), *each.history])] for each in both)):
        np.testing.assert_allclose(other, one, rtol=1e-7, atol=1e-9)
    assert both[0].loss < 5


def test_same_gradients_of_a_published_net(dsh, images):
    nets = [blobnet.Net(dsh, blobnet.TRAIN, device=device, random_seed=1) for device in ("cpu", "gpu")]
    for each in nets:
        each.forward(**images)
        each.backward()
    assert nets[1].loss == pytest.approx(nets[0].loss, rel=1e-5)
    for mine, theirs in zip(nets[0].parameters, nets[1].parameters):
        want = mine.blob.diff
        assert np.abs(numbers([theirs.blob.diff]) - want.reshape(-1)).max() <= 1e-4 * np.abs(want).max()


def test_a_published_net_trains_as_on_the_cpu(dsh, images):
    losses = {}
    for device in ("cpu", "gpu"):
        settings = new("SolverParameter", net_param=dsh, base_lr=1e-4, momentum=0.9, lr_policy="fixed", random_seed=1,
                       snapshot_after_train=False)
        each = blobnet.get_solver(settings, device=device)
        for name, values in images.items():
            each.net.blobs[name].data[...] = each.net.xp.asarray(values)
        losses[device] = []
        for _ in range(4):
            each.step(1)
            losses[device].append(each.loss)
    assert losses["gpu"] == pytest.approx(losses["cpu"], rel=1e-3)
    assert losses["cpu"][-1] < losses["cpu"][0]


def test_tests_between(caplog):
    settings = "base_lr: 0.1 momentum: 0.9 test_iter: 2 test_interval: 2 display: 1 debug_info: true"
    results = []
    for device in ("cpu", "gpu"):
        each = solver(settings, device)
        each.step(3)
        results.append({name: float(value) for name, value in each.test_all()[0].items()})
    assert results[1] == pytest.approx(results[0], rel=1e-4)
    assert results[1].keys() == {"loss", "accuracy"}


@pytest.mark.parametrize("form", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("first, second", [("gpu", "gpu"), ("gpu", "cpu"), ("cpu", "gpu")])
def test_snapshots(first, second, form, tmp_path):
    """A run that is restored on a GPU goes on bit for bit; on another device it starts from the same bits."""
    settings = f'type: "Adam" base_lr: 0.01 snapshot_format: {form} snapshot_prefix: "{tmp_path}/run"'
    one, other = solver(settings, first), solver(settings, second)
    one.step(2)
    other.restore(one.snapshot()[1])
    assert other.iter == 2
    for _ in range(2):
        assert np.array_equal(parameters(one.net), parameters(other.net))
        assert np.array_equal(numbers(one.history), numbers(other.history))
        if first == second:
            one.step(1)
            other.step(1)
            assert one.loss == other.loss


@pytest.mark.parametrize("suffix", ["caffemodel", "h5"])
def test_weights_go_from_device_to_device(suffix, tmp_path):
    path = f"{tmp_path}/weights.{suffix}"
    one = net()
    one.forward(**INPUTS)
    one.backward()
    one.save(path, diff=True)
    for device in ("cpu", "gpu"):
        assert np.array_equal(parameters(net(device, weights=path)), parameters(one))


def test_what_is_wrong_is_said():
    with pytest.raises(DeviceError, match="expected a GPU number below"):
        net("gpu:99")
    wrong = solver(SETTINGS["SGD"])
    wrong.net.blobs["label"].data[2] = 7
    with pytest.raises(DataError, match="7"):
        wrong.step(1)
        wrong.net.context.doubts.settle()
    wrong = solver(SETTINGS["SGD"])
    wrong.net.params["ip"][0].data[1, 2] = np.inf
    with pytest.raises(SolverError, match="'ip'"):
        wrong.step(1)
