"""Products in TF32: only where somebody asked for it, and in every product alike."""

import fakecupy
import numpy as np
import pytest
from fakecupy import cublas

import blobnet
from blobnet.backend import to_host
from blobnet.backend.devices import TF32_MATH
from blobnet.cli import main
from blobnet.errors import ShapeError
from blobnet.proto.messages import new
from blobnet.proto.text import parse

NET = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 3 dim: 2 dim: 7 dim: 7 }
  data_filler { type: "gaussian" } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 engine: CUDNN weight_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" } } }
layer { name: "sum" type: "Reduction" bottom: "ip" top: "sum" loss_weight: 1 }
"""

pytestmark = pytest.mark.usefixtures("stand_in")


def net(**options):
    return blobnet.Net(parse(NET, "NetParameter"), blobnet.TRAIN, random_seed=1, **options)


def found(made):
    """What its products give, forward and backward."""
    made.seek(0)
    made.clear_param_diffs()
    made.forward()
    made.backward()
    return [to_host(blob.data) for blob in (made.blobs["conv"], made.blobs["ip"])] + [
        to_host(each.blob.diff) for each in made.parameters if each.blob.num_axes > 1]


def difference(mine, other):
    return [float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(mine, other, strict=True)]


def test_products_are_those_of_float32_unless_tf32_is_allowed():
    exact, rounded, cpu = net(device="gpu"), net(device="gpu", allow_tf32=True), net()
    wanted = found(cpu)
    for _ in range(2):  # in turns
        assert max(difference(found(exact), wanted)) < 1e-6
        assert all(1e-5 < each < 1e-2 for each in difference(found(rounded), wanted))
    assert difference(found(net(allow_tf32=True)), wanted) == [0] * len(wanted)  # the CPU has none


def test_products_of_float64_stay_as_they_are():
    rounded, cpu = net(device="gpu", dtype="float64", allow_tf32=True), net(dtype="float64")
    assert max(difference(found(rounded), found(cpu))) < 1e-12


def test_products_of_cupy_alone_follow(monkeypatch):
    made = net(device="gpu", allow_tf32=True)
    x = made.xp.asarray(np.full((2, 2), 1 + 2**-12, np.float32))
    with made.context.in_use():
        assert all(float(made.xp.asarray(product)[0, 0]) == 2 for product in (x @ x, x.dot(x), (x[None] @ x[None])[0]))
    assert float((x @ x)[0, 0]) > 2


def test_the_mode_of_before_comes_back():
    handle = fakecupy.cuda.device.get_cublas_handle()
    made = net(device="gpu", allow_tf32=True)
    made.forward()
    made.blobs["x"].reshape(1)
    with pytest.raises(ShapeError):
        made.forward("conv")
    assert cublas.getMathMode(handle) == cublas.CUBLAS_DEFAULT_MATH
    cublas.setMathMode(handle, TF32_MATH)
    try:
        assert max(difference(found(net(device="gpu")), found(net()))) < 1e-6
        assert cublas.getMathMode(handle) == TF32_MATH
    finally:
        cublas.setMathMode(handle, cublas.CUBLAS_DEFAULT_MATH)


def test_each_gpu_has_its_own_mode():
    first, second = net(device="gpu:0", allow_tf32=True), net(device="gpu:1")
    with first.context.in_use():
        assert max(difference(found(second), found(net()))) < 1e-6


@pytest.fixture
def modes(monkeypatch):
    """The modes that are set."""
    seen, original = [], cublas.setMathMode
    monkeypatch.setattr(cublas, "setMathMode", lambda handle, mode: (seen.append(mode), original(handle, mode)))
    return seen


def test_solvers_pass_it_on(modes):
    settings = new("SolverParameter", net_param=parse(NET, "NetParameter"), base_lr=1e-3, lr_policy="fixed",
                   snapshot_after_train=False, test_iter=[1], test_interval=1)
    blobnet.get_solver(settings, device="gpu", allow_tf32=True).step(1)
    assert set(modes[::2]) == {TF32_MATH}
    modes.clear()
    blobnet.get_solver(settings, device="gpu").step(1)
    assert set(modes) == {cublas.CUBLAS_DEFAULT_MATH}


@pytest.mark.parametrize("line", ["time --model net.prototxt --iterations 1 --gpu 0 --tf32",
                                  "test --model net.prototxt --weights w.caffemodel --iterations 1 -gpu 0 -tf32",
                                  "train --solver solver.prototxt --gpu 0 --tf32"])
def test_commands_take_it(line, modes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text('net: "net.prototxt" base_lr: 0.001 lr_policy: "fixed" max_iter: 1 '
                                              'snapshot_after_train: false')
    blobnet.Net("net.prototxt").save("w.caffemodel")
    assert main(line.split()) == 0
    assert TF32_MATH in modes
    modes.clear()
    assert main(line.split()[:-1]) == 0
    assert TF32_MATH not in modes and modes
