"""How many operations of a GPU a training iteration of a published net takes: the numbers may fall, but not rise."""

from pathlib import Path

import fakecupy
import pytest

import blobnet
from blobnet.core.without_data import without_data
from blobnet.netdef.load import load
from blobnet.ops.cuda import launch
from blobnet.proto.messages import new

ROOT = Path(__file__).resolve().parents[2] / "prototxt"
MOST = {"lenet/train_test": ((2, 1, 28, 28), 42), "dsh/train_test_12": ((3, 3, 32, 32), 63),
        "resnet/train_val_50": ((2, 3, 32, 32), 691)}


@pytest.mark.parametrize("name", MOST)
def test_operations_of_an_iteration(name, stand_in, monkeypatch):
    monkeypatch.setattr(fakecupy.kernels, "fenced", False)  # other tests see what kernels write
    monkeypatch.setattr(launch, "THREADS", 32)  # which take turns, and time
    shape, most = MOST[name]
    definition = without_data(load(ROOT / f"{name}.prototxt", blobnet.TRAIN), {"data": shape, "label": shape[:1]})
    for layer in definition.layer:
        if layer.name == "pool5":  # of images that are smaller than published
            layer.pooling_param.ClearField("kernel_size")
            layer.pooling_param.global_pooling = True
    solver = blobnet.get_solver(new("SolverParameter", net_param=definition, base_lr=1e-6, momentum=0.9,
                                    weight_decay=1e-3, lr_policy="fixed", random_seed=1, snapshot_after_train=False),
                                device="gpu", graph=False)
    solver.net.blobs["data"].data[...] = 1
    solver.step(1)
    fakecupy.reset()
    solver.step(1)
    assert sum(fakecupy.counts[kind] for kind in ("kernels", "gemms", "DtoD", "memset")) <= most
