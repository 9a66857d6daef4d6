"""Nets and blobs on a GPU, beside passes: copies, sharing, reports of memory and time, explanations, errors."""

import copy
import pickle

import numpy as np
import pytest
from tiny import INPUTS, net, parameters

import blobnet
from blobnet.backend import device_module, to_host
from blobnet.core.blob import Blob
from blobnet.core.memory import memory
from blobnet.core.profile import Profile
from blobnet.errors import NetError, ShapeError

pytestmark = pytest.mark.usefixtures("gpu")


def ran(device="gpu", **options):
    each = net(device, **options)
    each.forward(**INPUTS)
    each.backward()
    return each


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda blob: pickle.loads(pickle.dumps(blob))])
def test_blobs_are_copied(way):
    blob = Blob((2, 3), device_module("gpu"))
    blob.data[...], blob.diff[...] = 3, 4
    other = way(blob)
    blob.data[...] = 5
    assert other.xp is blob.xp and type(other.data) is type(blob.data) and other.shape == (2, 3)
    assert (to_host(other.data) == 3).all() and (to_host(other.diff) == 4).all()


def test_blobs_that_share_values_share_them_in_a_copy():
    first, second = (Blob(shape, device_module("gpu")) for shape in ((4,), (2, 2)))
    second.share_data(first)
    first.data[...] = 1
    for other in (copy.deepcopy([first, second]), pickle.loads(pickle.dumps([first, second]))):
        other[0].data[3] = 8
        assert to_host(other[1].data).tolist() == [[1, 1], [1, 8]]
    assert to_host(second.data).tolist() == [[1, 1], [1, 1]]


def test_what_lies_on_a_gpu_is_shown():
    each = ran()
    assert "8x8" in repr(each.blobs["x"]) and each.device in repr(each)
    for shown in (each, each.blobs["conv"], each.layers[1]):
        assert "svg" in shown._repr_html_()


def test_share_with():
    one, other = net(), net(phase=blobnet.TEST)
    other.share_with(one)
    one.params["ip"][0].data[...] = 0.25
    assert (to_host(other.params["ip"][0].data) == 0.25).all()
    assert np.array_equal(parameters(one), parameters(other))


def test_arrays_of_the_other_device():
    each, xp = net(), device_module("gpu")
    cpu = net("cpu").forward(**INPUTS)
    for inputs in (INPUTS, {name: xp.asarray(value) for name, value in INPUTS.items()},
                   {name: value.tolist() for name, value in INPUTS.items()}):
        assert float(each.forward(**inputs)["loss"]) == pytest.approx(float(cpu["loss"]), rel=1e-5)
    with pytest.raises(ShapeError, match="array of numbers"):
        each.forward(x="image")
    with pytest.raises((TypeError, ValueError)):
        each.blobs["x"].data[...] = INPUTS["x"]


def test_parts_of_a_net_and_gradients_of_inputs():
    cpu, gpu = (ran(device, more="force_backward: true ") for device in ("cpu", "gpu"))
    for each in (cpu, gpu):
        each.forward(start="pool", end="ip")
        each.backward(start="ip", end="pool")
    for name in ("pool", "ip", "x", "conv"):
        for which in ("data", "diff"):
            one, other = (to_host(getattr(each.blobs[name], which)) for each in (cpu, gpu))
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5, err_msg=name)
    assert to_host(gpu.blobs["x"].diff).any()


def test_memory():
    cpu, gpu = (memory(ran(device)) for device in ("cpu", "gpu"))
    for what in ("parameters", "parameter_diffs", "data", "diffs"):
        assert getattr(gpu, what) == getattr(cpu, what) > 0
    assert gpu.layers["pool"] > 0 and gpu.total > 0


def test_profile(monkeypatch):
    monkeypatch.setattr("blobnet.core.profile.SIDE", 64)
    each, profile = net(), Profile()
    with each.watched_by(profile):
        for _ in range(2):
            each.forward(**INPUTS)
            each.backward()
    assert [time.calls for time in profile.forward.values()] == [2] * len(profile.forward)
    assert "conv" in str(profile) and profile.products().keys() >= {each.layer_dict["ip"]}


def test_numbers_are_explained_on_the_cpu():
    with pytest.raises(NetError, match="expected a net on the CPU, got one on gpu"):
        ran().explain("ip", (1, 2))


def test_debug_info(caplog):
    lines = []
    for device in ("cpu", "gpu"):
        caplog.clear()
        with caplog.at_level("INFO"):
            ran(device, more="debug_info: true ", dtype="float64")
        lines.append([record.getMessage() for record in caplog.records if "[Forward]" in record.getMessage()
                      or "[Backward]" in record.getMessage()])
    assert lines[0] == lines[1] and len(lines[0]) > 20
