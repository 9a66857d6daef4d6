"""Several GPUs, and one that has not enough memory: each net computes on its own, in whichever thread."""

import builtins
import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import fakecupy
import numpy as np
import pytest

import blobnet
from blobnet.backend import devices, to_host
from blobnet.errors import DataError, DeviceError, ShapeError
from blobnet.hashing.encode import encode
from blobnet.proto.messages import new
from blobnet.proto.text import parse

NET = """
name: "small"
layer { name: "data" type: "DummyData" top: "x" top: "label" dummy_data_param {
  shape { dim: 4 dim: 2 dim: 9 dim: 9 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "relu" type: "ReLU" bottom: "bn" top: "bn" }
layer { name: "pool" type: "Pooling" bottom: "bn" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "drop" type: "Dropout" bottom: "pool" top: "drop" }
layer { name: "ip" type: "InnerProduct" bottom: "drop" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
DEVICES = "gpu:0", "gpu:1"

pytestmark = pytest.mark.usefixtures("stand_in")


@pytest.fixture(autouse=True)
def first_gpu(stand_in):
    """Tests begin, and end, on the first one."""
    fakecupy.cuda.Device(0).use()
    yield
    fakecupy.cuda.Device(0).use()


def net(device, source=NET):
    """A net that was built on its device by a thread that computes on the first one now."""
    made = blobnet.Net(parse(source, "NetParameter"), blobnet.TRAIN, device=device, random_seed=1)
    fakecupy.cuda.Device(0).use()
    return made


def solver(device, **settings):
    made = blobnet.get_solver(new("SolverParameter", net_param=parse(NET, "NetParameter"), base_lr=0.1, momentum=0.9,
                                  weight_decay=0.1, lr_policy="fixed", random_seed=1, snapshot_after_train=False,
                                  clip_gradients=1, **settings), device=device)
    fakecupy.cuda.Device(0).use()
    return made


def passes(made, count=2):
    """All diffs of the parameters, and the losses, after some passes."""
    found = []
    for _ in range(count):
        made.clear_param_diffs()
        made.forward()
        made.backward()
        found += [made.loss, *(to_host(parameter.blob.diff).copy() for parameter in made.parameters)]
    return found


def same(mine, other):
    return all(np.array_equal(a, b) for a, b in zip(mine, other, strict=True))


def places(made):
    """The GPUs on which the arrays of a net lie."""
    buffers = [buffer for blob in [*made.blobs.values(), *(each.blob for each in made.parameters)]
               for buffer in (blob.memory, blob.diff_memory)]
    return {int(buffer.array.device) for buffer in buffers if buffer.array is not None}


def test_two_nets_run_in_turns():
    first, second = map(net, DEVICES)
    found = [passes(first, 1), passes(second, 1), passes(first, 1), passes(second, 1)]
    assert same(found[0], found[1]) and same(found[2], found[3]) and not same(found[0], found[2])
    assert places(first) == {0} and places(second) == {1} and fakecupy.cuda.runtime.getDevice() == 0


def test_a_net_that_was_made_last_selects_its_gpu():
    made = blobnet.Net(parse(NET, "NetParameter"), blobnet.TRAIN, device="gpu:1")
    made.blobs["x"].data[...] = made.xp.ones(made.blobs["x"].shape, np.float32)
    assert fakecupy.cuda.runtime.getDevice() == 1


def test_two_nets_run_in_two_threads():
    nets = [*map(net, DEVICES)]
    with ThreadPoolExecutor(2) as threads:
        found = [*threads.map(passes, nets)]
    assert same(*found) and same(found[0], passes(net("gpu:0")))


def test_two_solvers_run_in_two_threads():
    solvers = [*map(solver, DEVICES)]
    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(lambda each: each.step(3), solvers)] == [None, None]
    weights = [[to_host(parameter.blob.data) for parameter in each.net.parameters] for each in solvers]
    assert same(*weights)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdaDelta"])
def test_a_solver_trains_tests_and_resumes_on_the_second_gpu(kind, tmp_path):
    settings = dict(type=kind, test_iter=[2], test_interval=2, test_initialization=True, display=1,
                    snapshot_prefix=str(tmp_path / "small"))
    made = solver("gpu:1", **settings)
    made.step(2)
    with ThreadPoolExecutor(1) as other:
        results = other.submit(made.test_all).result()
        _, state = other.submit(made.snapshot).result()
    made.step(2)
    resumed = solver("gpu:1", **settings)
    resumed.restore(state)
    resumed.step(2)
    assert same(*([to_host(each.blob.data) for each in one.net.parameters] for one in (made, resumed)))
    assert results[0]["loss"] > 0 and places(made.net) == places(made.test_nets[0]) == {1}
    assert {int(array.device) for array in made.history} == {1}


def test_weights_are_saved_loaded_and_shared_from_the_first_gpu(tmp_path):
    made, other = net("gpu:1"), net("gpu:1", NET.replace('"small"', '"other"'))
    passes(made, 1)
    for ending in ("caffemodel", "h5"):
        path = str(tmp_path / f"weights.{ending}")
        made.save(path, diff=True)
        assert len(other.copy_from(path)) == 3
    assert same(*([to_host(each.blob.data) for each in one.parameters] for one in (made, other)))
    other.share_with(made)
    other.reshape()
    other.forward()
    assert places(other) == {1} and other.loss > 0


def test_blobs_are_read_and_made_from_the_first_gpu():
    made = net("gpu:1")
    made.forward(end="conv")
    assert to_host(made.blobs["conv"].data).std() > 0
    assert int(made.blobs["ip"].diff.device) == 1
    made.blobs["x"].reshape(8, 2, 9, 9)
    assert int(made.blobs["x"].data.device) == 1
    with made.context.on_device():
        made.blobs["x"].data[...] = 1
    assert int(copy.deepcopy(made.blobs["x"]).data.device) == 1
    assert int(pickle.loads(pickle.dumps(made.blobs["x"])).data.device) == 0


def test_a_doubt_of_the_second_gpu_is_settled_on_the_first():
    made = net("gpu:1", NET.replace("{ value: 1 }", "{ value: 7 }"))
    made.forward()
    with pytest.raises(DataError, match="7"):
        _ = made.loss
    _ = made.loss  # it was forgotten


def test_codes_are_made_on_the_second_gpu():
    mine, other = (encode(net(device), "ip", 6) for device in DEVICES)
    assert np.array_equal(mine.packed, other.packed) and mine.labels.tolist() == [1] * 6


# Memory.

INPUT = 'force_backward: true layer { name: "x" type: "Input" top: "x" input_param { shape { SHAPE } } }'
FULL = {  # shape of the input, a layer, what runs: what the error says
    "parameter": ("dim: 1 dim: 100", 'type: "InnerProduct" inner_product_param { num_output: 10000 }', "build",
                  "layer 'l' (InnerProduct), parameter 0 of shape (10000, 100): no memory for 1000000 numbers, "),
    "data": ("dim: 1 dim: 20000", 'type: "Tile" tile_param { tiles: 40 }', "forward",
             "layer 'l' (Tile), top 'y' of shape (1, 800000): no memory for 800000 numbers, 0.00298023 GiB, "),
    "diff": ("dim: 1 dim: 200000", 'type: "TanH"', "backward",
             "layer 'l' (TanH), top 'y' of shape (1, 200000): no memory for 200000 numbers, 0.000745058 GiB, "),
    "kept": ("dim: 1 dim: 1 dim: 450000", 'type: "Dropout"', "forward",
             "layer 'l' (Dropout): no memory (Out of memory allocating "),
    "workspace": ("dim: 1 dim: 16 dim: 50 dim: 50",
                  'type: "Convolution" convolution_param { num_output: 1 kernel_size: 9 }', "forward",
                  "layer 'l' (Convolution): no memory (0.0085"),
    "input": ("dim: 1 dim: 100", 'type: "TanH"', "input",
              "net '', blob 'x': no memory (Out of memory allocating 4,000,000 bytes "),
    "weights": ("dim: 1 dim: 100", 'type: "InnerProduct" inner_product_param { num_output: 3000 }', "weights",
                "layer 'l' (InnerProduct), parameter 0: no memory (Out of memory allocating 1,200,000 bytes "),
    "history": ("dim: 1 dim: 1000", 'type: "InnerProduct" inner_product_param { num_output: 400 } loss_weight: 1',
                "solve", "solver: parameters and histories in one array each: no memory (Out of memory allocating "),
}


@pytest.mark.parametrize("case", FULL)
def test_too_little_memory_is_an_error_that_says_what_to_do(case, monkeypatch, tmp_path):
    shape, layer, what, words = FULL[case]
    definition = parse(INPUT.replace("SHAPE", shape) + f'layer {{ name: "l" bottom: "x" top: "y" {layer} }}',
                       "NetParameter")
    free = 2_000_000
    gc.collect()  # arrays of other tests
    monkeypatch.setattr(fakecupy.devices, "limits", [fakecupy.devices.TOTAL, fakecupy.devices.taken[1] + free])
    with pytest.raises(ShapeError) as error:
        if what == "solve":
            blobnet.get_solver(new("SolverParameter", net_param=definition, base_lr=1, lr_policy="fixed", type="Adam",
                                   snapshot_after_train=False), device="gpu:1")
        made = blobnet.Net(definition, blobnet.TRAIN, device="gpu:1")
        fakecupy.cuda.Device(0).use()
        if what == "weights":
            blobnet.Net(definition, blobnet.TRAIN).save(tmp_path / "weights.caffemodel")
            made.copy_from(tmp_path / "weights.caffemodel")
        made.forward(**{"x": np.zeros((1, 1000000), np.float32)} if what == "input" else {})
        made.backward()
    assert words in str(error.value), error.value
    assert " GiB of the GPU are free" in str(error.value) and "; smaller batches (batch_size)" in str(error.value)


# CuPy that is not whole.

class Lacking:
    """cupy.cuda without a library, as CuPy says it."""

    runtime, cublas, nvrtc = fakecupy.cuda.runtime, fakecupy.cuda.cublas, fakecupy.cuda.nvrtc

    def __init__(self, library):
        self.library = library

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "library"):
            raise ImportError(f"Failure finding lib{name}:\n  no such file")
        return object.__getattribute__(self, name)


def no_driver():
    raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")


@pytest.mark.parametrize("lacking, says", [
    ("cublas", "CuPy finds no cuBLAS (Failure finding libcublas: no such file)"),
    ("nvrtc", "CuPy finds no NVRTC (Failure finding libnvrtc: no such file)"),
    ("driver", "CuPy finds no driver of a GPU (cudaErrorInsufficientDriver: CUDA driver version is insufficient"),
    ("GPU", "CuPy finds no GPU; pip install 'blobnet[gpu]' on a machine that has one, or use the CPU"),
    ("CuPy", "CuPy is not installed; pip install 'blobnet[gpu]' on a machine that has one, or use the CPU"),
    ("part", "CuPy cannot be imported (libcuda.so.1: no such file)"),
])
def test_what_is_missing_is_said(lacking, says, monkeypatch, request):
    request.addfinalizer(devices.cupy_module.cache_clear)
    devices.cupy_module.cache_clear()
    if lacking == "driver":
        monkeypatch.setattr(fakecupy.cuda.runtime, "getDeviceCount", no_driver)
    elif lacking == "GPU":
        monkeypatch.setattr(fakecupy.cuda.runtime, "getDeviceCount", lambda: 0)
    elif lacking == "CuPy":
        monkeypatch.setattr(builtins, "__import__", failing("cupy", ModuleNotFoundError("No module", name="cupy")))
    elif lacking == "part":
        monkeypatch.setattr(builtins, "__import__", failing("cupy", ImportError("libcuda.so.1: no such file")))
    else:
        monkeypatch.setattr(fakecupy, "cuda", Lacking(lacking))
    assert not blobnet.backend.gpu_available()
    with pytest.raises(DeviceError) as error:
        blobnet.Net(parse(NET, "NetParameter"), device="gpu:1")
    text = str(error.value)
    assert text.startswith(f"device 'gpu:1': no GPU can be used: {says}"), text
    assert "pip install 'blobnet[gpu]'" in text and "or use the CPU: device='cpu', on the command line no --gpu" in text


def failing(name, error):
    """__import__ that raises `error` for the module `name`."""
    original = builtins.__import__

    def imported(module, *arguments, **named):
        if module == name:
            raise error
        return original(module, *arguments, **named)
    return imported
