"""The diffs of all parameters lie in one array, and so does their data where a solver wants it."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

from blobnet.backend import device_module, to_host
from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN
from blobnet.core.flat import LINE_BYTES, UNIT, Flat
from blobnet.core.memory import memory
from blobnet.core.net import Net
from blobnet.proto.text import parse

INPUT = """layer { name: "in" type: "Input" top: "x" top: "t" input_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 dim: 3 } } } """
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "t" top: "loss" } '


def ip(name, bottom, more=""):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {more} inner_product_param '
            '{ num_output: 3 weight_filler { type: "xavier" } bias_filler { value: 1 } } } ')


TWO = INPUT + ip("a", "x") + ip("b", "a") + LOSS
SHARED = TWO.replace('top: "a"', 'top: "a" param { name: "w" }').replace('top: "b"', 'top: "b" param { name: "w" }')


def build(text=TWO, phase=TRAIN, device="cpu", **options):
    return Net(parse(text, "NetParameter"), phase, random_seed=2, device=device, **options)


def blobs(net):
    return [parameter.blob for parameter in net.parameters]


def passed(net):
    rng = np.random.default_rng(1)
    net.forward(x=rng.normal(size=(4, 3)), t=rng.normal(size=(4, 3)))
    net.backward()
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text, count", [(TWO, 4), (SHARED, 3)])
def test_all_diffs_lie_in_one_array(text, count, dtype):
    net = build(text, dtype=dtype)
    net.clear_param_diffs()
    whole = net.param_diffs.whole()
    assert whole.shape == (count * UNIT,) and whole.ctypes.data % LINE_BYTES == 0 and not whole.any()
    assert net.param_diffs.starts == [i * UNIT for i in range(count)]
    passed(net)
    for blob, start in zip(blobs(net), net.param_diffs.starts, strict=True):
        assert blob.diff.any() and blob.diff is blob.diff
        np.testing.assert_array_equal(whole[start:start + blob.count], blob.diff.ravel())
        assert not whole[start + blob.count:start + UNIT].any()
    net.clear_param_diffs()
    assert not whole.any() and not any(blob.diff.any() for blob in blobs(net))


def test_a_net_that_does_not_learn_has_no_diffs():
    net = build(phase=0)
    net.forward()
    assert net.param_diffs.whole() is None and all(blob.diff_memory.array is None for blob in blobs(net))


def test_a_net_without_parameters():
    net = build(INPUT)
    net.clear_param_diffs()
    assert net.param_diffs.size == 0 and net.param_diffs.whole() is None


def test_large_parameters_without_fillers_take_no_memory():
    text = INPUT + ip("a", "x").replace("num_output: 3", "num_output: 2000000000")  # 24 GB, and as much of diffs
    net = build(text, fillers=False)
    assert net.params["a"][0].diff[0, 0] == 0 and not net.params["a"][1].diff[-1]


def test_memory_counts_once():
    net = build()
    before = memory(net)
    assert memory(passed(net)).parameter_diffs == before.parameter_diffs == 4 * 24
    assert not {"a", "b"} & set(memory(net).layers)


@pytest.mark.parametrize("change", [
    lambda blob: blob.reshape(UNIT + 1), lambda blob: blob.share_diff(Blob(blob.shape)), lambda blob: blob.reshape(1)])
@pytest.mark.parametrize("used", [False, True])
def test_a_blob_that_leaves_is_treated_by_itself(change, used):
    net = build()
    if used:
        passed(net)
    change(net.params["a"][1])
    for blob in blobs(net):
        blob.diff.fill(5)
    assert net.param_diffs.whole() is None
    net.clear_param_diffs()
    assert not any(blob.diff.any() for blob in blobs(net)) and net.param_diffs.whole() is None


def test_another_shape_of_the_same_count_stays():
    net = passed(build())
    whole = net.param_diffs.whole()
    net.params["a"][0].reshape(1, 9)
    assert net.param_diffs.whole() is whole
    assert np.shares_memory(net.params["a"][0].diff, whole)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda blob: pickle.loads(pickle.dumps(blob))])
def test_a_copy_has_numbers_of_its_own(copied):
    net = passed(build())
    blob = net.params["a"][0]
    other = copied(blob)
    np.testing.assert_array_equal(other.diff, blob.diff)
    assert not np.shares_memory(other.diff, blob.diff) and other.diff_memory.array.size == 9
    other = copied(build().params["a"][0])  # of a diff that is not there yet
    assert other.diff_memory.array is None and not other.diff.any()


def test_the_arrays_go_with_the_net():
    net = passed(build())
    whole = weakref.ref(net.param_diffs.whole())
    del net
    gc.collect()
    assert whole() is None


def test_it_goes_without_waiting_for_the_collector():
    """No circle of references keeps the memory of a GPU."""
    made = [Blob((5,)), Blob((2, 2))]
    flat = Flat(made, "diff", np, np.dtype("float32"))
    flat.clear()
    whole = weakref.ref(flat.whole())
    gc.disable()
    try:
        del made, flat
        assert whole() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_data_is_gathered(device, stand_in):
    net, other = build(device=device), build(device=device)
    before = [to_host(blob.data).copy() for blob in blobs(net)]
    other.share_with(net)
    flat = Flat(blobs(net), "data", device_module(device), net.dtype)
    assert flat.whole() is None
    flat.gather()
    whole = flat.whole()
    for blob, sharer, old, start in zip(blobs(net), blobs(other), before, flat.starts, strict=True):
        np.testing.assert_array_equal(to_host(blob.data), old)
        np.testing.assert_array_equal(to_host(whole[start:start + blob.count]), old.ravel())
        whole[start:start + blob.count] = 7
        assert (to_host(blob.data) == 7).all() and (to_host(sharer.data) == 7).all()
    net.params["b"][1].share_data(Blob((3,), device_module(device)))
    assert flat.whole() is None


def test_a_flat_array_that_is_too_large(monkeypatch):
    """Then each has an array of its own, as long as there is memory for that."""
    net = build()
    monkeypatch.setattr("blobnet.core.flat.aligned_zeros", lambda *given: (_ for _ in ()).throw(MemoryError()))
    assert passed(net).params["a"][0].diff.any() and net.param_diffs.whole() is None
    net.clear_param_diffs()
    assert not net.params["a"][0].diff.any()
