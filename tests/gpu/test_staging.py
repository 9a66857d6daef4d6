"""Batches are copied to a GPU from pinned memory, on a stream of their own, and none is overtaken by the next one."""

import numpy as np
import pytest
from tiny import parameters, solver

import blobnet
from blobnet.backend import device_module, to_host
from blobnet.backend.staging import PinnedStaging
from blobnet.data.batches.prefetch import Prefetch
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.text import parse

pytestmark = pytest.mark.usefixtures("gpu")
LEARNS = '''layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 7 } }
            layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "label" top: "loss" }'''
DATA = '''layer { name: "data" type: "Data" top: "x" top: "label"
                  data_param { source: "%s" batch_size: 3 backend: LMDB } }'''


def batches(n, reuse):
    """Batch n: of the arrays of another one if they fit, each sixth is larger."""
    shape = (5 if n % 6 == 5 else 3, 4)
    if reuse is None or reuse[0].shape != shape:
        reuse = np.empty(shape, np.float32), np.empty(shape[0], np.int32)
    for array in reuse:
        array[...] = n
    return reuse


def written(staging, batch, dtype="float32"):
    arrays = [staging._xp.empty(shape, dtype) for shape in staging.shapes(batch)]
    staging.write(batch, arrays)
    return arrays


@pytest.mark.parametrize("depth", [1, 3])
def test_every_batch_arrives(depth):
    staging = PinnedStaging(batches, device_module("gpu"), "gpu")
    ahead, arrays = Prefetch(staging, depth), []
    for _ in range(14):  # arrays are read only after the memory they came from was written again
        arrays.append(written(staging, ahead.take()))
    ahead.seek(2)
    arrays.append(written(staging, ahead.take()))
    ahead.close()
    for n, (x, label) in enumerate(arrays):
        n = 2 if n == 14 else n
        assert x.shape == ((5, 4) if n % 6 == 5 else (3, 4)) and label.dtype == np.float32
        assert (to_host(x) == n).all() and (to_host(label) == n).all()


def test_memory_is_kept_and_reused():
    staging = PinnedStaging(batches, device_module("gpu"), "gpu")
    first = staging(0, None)
    place = first.values[0].ctypes.data
    written(staging, first)
    assert staging(1, first) is first and first.values[0].ctypes.data == place
    assert (first.values[0] == 1).all()


@pytest.fixture
def data(tmp_path):
    with LmdbWriter(tmp_path / "data") as writer:
        for i in range(7):
            writer.put(b"%08d" % i, array_to_datum(np.full((2, 4, 4), i, np.uint8), i).SerializeToString())
    return DATA % (tmp_path / "data")


def test_a_data_layer_reads_the_same_on_both_devices(data):
    text = parse(data, "NetParameter")
    nets = [blobnet.Net(text, blobnet.TRAIN, device=device, random_seed=1) for device in ("cpu", "gpu")]
    for _ in range(6):
        cpu, gpu = (each.forward() for each in nets)
        for name, values in cpu.items():
            np.testing.assert_array_equal(to_host(gpu[name]), values)


def test_every_replay_has_its_own_batch(data):
    found = []
    for graph in (True, False):
        each, losses = solver("base_lr: 0.01 momentum: 0.9", text=data + LEARNS, graph=graph), []
        for _ in range(9):
            each.step(1)
            losses.append(each.loss)
        found.append((losses, parameters(each.net).tobytes()))
    assert found[0] == found[1]
    assert len(set(losses)) == 9
