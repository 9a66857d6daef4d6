"""The CUDA text of blobnet/ops/cuda: all of it is used, it is right for any grid, and it compiles for a GPU."""

import fakecupy
import numpy as np
import nvrtc
import pytest
from twin_rows import ROWS, kernels

import blobnet
from blobnet.backend import device_module, to_host
from blobnet.ops.cuda import launch
from blobnet.proto.messages import new
from blobnet.proto.text import parse

TOLERANCE = 1e-12  # of float64
GRIDS = [(32, 1), (1024, 3)]  # threads of a block, and blocks at most
nvrtc_only = pytest.mark.skipif(nvrtc.library() is None, reason="no NVRTC: pip install nvidia-cuda-nvrtc-cu12")


def found(name):
    """The arrays of all rows of a twin."""
    xp, kernel = device_module("gpu"), kernels()[name].cuda
    rows = [row(kernel, xp, np.random.default_rng(0), "float64") for row in ROWS[name]]
    return [to_host(array) for row in rows for array in row]


def train():
    """An iteration of Adam on a tiny net."""
    net = parse('layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 2 } } } '
                'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } '
                'loss_weight: 1 }', "NetParameter")
    settings = new("SolverParameter", net_param=net, type="Adam", base_lr=1, lr_policy="fixed", clip_gradients=1,
                   snapshot_after_train=False)
    blobnet.get_solver(settings, device="gpu").step(1)


def test_every_kernel_is_used_by_a_twin_or_by_a_training(stand_in):
    fakecupy.reset()
    for name in ROWS:
        found(name)
    train()
    used = {key.removeprefix("kernel ") for key in fakecupy.counts if key.startswith("kernel ")}
    assert used == launch.signatures().keys()


@pytest.mark.parametrize("name", ROWS)
def test_a_twin_gives_the_same_with_any_grid(name, stand_in, monkeypatch):
    wanted = found(name)
    for threads, blocks in GRIDS:
        monkeypatch.setattr(launch, "THREADS", threads)
        monkeypatch.setattr(launch, "MOST_BLOCKS", blocks)
        for mine, other in zip(found(name), wanted, strict=True):
            scale = max(1, np.abs(other[np.isfinite(other)]).max(initial=0))
            np.testing.assert_allclose(mine, other, rtol=TOLERANCE, atol=TOLERANCE * scale)


@nvrtc_only
@pytest.mark.parametrize("real", launch.REALS.values())
def test_the_text_compiles_for_a_gpu(real):
    assert nvrtc.compiled(launch.source(), "-arch=sm_90", "--std=c++17", f"-DREAL={real}") == ""


@nvrtc_only
def test_a_typo_does_not_compile():
    with pytest.raises(RuntimeError, match='kernels.cu.*identifier "blockDimm" is undefined'):
        nvrtc.compiled(launch.source().replace("blockDim.x", "blockDimm.x"), "-arch=sm_90", "-DREAL=float")
