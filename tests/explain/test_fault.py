"""A fault in a backward: it scales what is to be scaled, the check notices it, and training goes on with it."""

import math

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, UnknownLayer
from blobnet.explain.broken import break_layer
from blobnet.explain.fault import broken, parse_break
from blobnet.explain.fault_check import check_fault
from blobnet.proto.text import parse

NET = """
name: "small"
layer { name: "data" type: "DummyData" top: "x" top: "label" dummy_data_param {
  shape { dim: 6 dim: 2 dim: 4 dim: 4 } shape { dim: 6 } data_filler { type: "gaussian" } data_filler { value: 2 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "conv" convolution_param { num_output: 3 kernel_size: 3
  weight_filler { type: "xavier" } } }
layer { name: "sig" type: "Sigmoid" bottom: "conv" top: "conv" }
layer { name: "flat" type: "Flatten" bottom: "conv" top: "flat" }
layer { name: "ip1" type: "InnerProduct" bottom: "flat" top: "ip1" inner_product_param { num_output: 4
  weight_filler { type: "xavier" } } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 3
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" }
"""
LAYERS = ["conv", "sig", "flat", "ip1", "ip2", "loss"]


@pytest.fixture
def net():
    return Net(parse(NET, "NetParameter"), TRAIN, dtype="float64", random_seed=1)


def gradients(net, passes=1):
    """All gradients of parameters after some passes, which add up."""
    net.seek(0)
    net.clear_param_diffs()
    for _ in range(passes):
        net.forward()
        net.backward()
    return {name: [blob.diff.copy() for blob in blobs] for name, blobs in net.params.items()}


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_of_the_layer_and_below_are_scaled(net, layer, passes):
    right = gradients(net, passes)
    with broken(net, layer, -1.5):
        wrong = gradients(net, passes)
    for name, arrays in right.items():
        factor = -1.5 if LAYERS.index(name) <= LAYERS.index(layer) else 1
        for array, found in zip(arrays, wrong[name], strict=True):
            assert np.allclose(found, factor * array, rtol=1e-9, atol=1e-15) and np.any(array)
    healed = gradients(net, passes)
    assert all(np.array_equal(a, b) for name in right for a, b in zip(right[name], healed[name]))


def test_shared_parameters_are_scaled_where_the_fault_is():
    def product(name, bottom):
        return f'''layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" param {{ name: "w" }}
            inner_product_param {{ num_output: 3 bias_term: false weight_filler {{ type: "xavier" }} }} }}'''

    text = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }' + \
        product("a", "x") + product("b", "x") + \
        'layer { name: "s" type: "Reduction" bottom: "a" top: "s" loss_weight: 1 }' \
        'layer { name: "t" type: "Reduction" bottom: "b" top: "t" loss_weight: 1 }'
    net = Net(parse(text, "NetParameter"), TRAIN, dtype="float64")
    net.forward(x=np.arange(6.0).reshape(2, 3))
    net.backward()
    once = net.parameters[0].blob.diff / 2
    net.clear_param_diffs()
    with broken(net, "a", 5):
        net.backward()
    assert np.allclose(net.parameters[0].blob.diff, 6 * once)


def test_memory_that_two_parameters_share_is_scaled_once():
    text = """layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 1 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" loss_weight: 1
          param { name: "w" } param { name: "w" share_mode: PERMISSIVE } inner_product_param { num_output: 1 } }"""
    net = Net(parse(text, "NetParameter"), TRAIN, dtype="float64")
    net.forward(x=[[2], [3]])
    with broken(net, "ip", 3):
        net.backward()
    assert net.parameters[0].blob.diff.item() == 3 * (2 + 3 + 2)


def test_diffs_that_backward_overwrites_are_scaled_as_they_are():
    net = Net(parse("""layer { name: "p" type: "Parameter" top: "p" parameter_param { shape { dim: 2 } } }
        layer { name: "sum" type: "Reduction" bottom: "p" top: "sum" loss_weight: 2 }""", "NetParameter"), TRAIN)
    net.forward()
    with broken(net, "p", 3):
        for _ in range(2):
            net.backward()
            assert net.params["p"][0].diff.tolist() == [6, 6]


@pytest.mark.parametrize("layer, blobs", [
    ("conv", ["x", "param 0", "param 1", "loss"]), ("sig", ["conv", "loss"]), ("flat", ["conv", "loss"]),
    ("ip1", ["flat", "param 0", "param 1", "loss"]), ("loss", ["ip2", "loss"])])
def test_the_check_notices_the_fault_where_it_is(net, layer, blobs):
    net.forward()
    found = check_fault(net, layer, 1.5)
    assert [result.blob for result in found if result.checked and not result.passed] == blobs
    assert found[-1].layer == "(whole net)" and {result.layer for result in found[:-1]} == {layer}
    assert all(result.passed for result in check_fault(net, layer, 1))


def test_the_check_leaves_the_net_as_it_was(net):
    net.forward()
    before = [blob.data.copy() for blobs in net.params.values() for blob in blobs]
    right, step = gradients(net, 3), net.context.step
    check_fault(net, "ip1", 2)
    assert net.context.step == step
    assert all(np.array_equal(a, blob.data) for a, blob in zip(before, (b for bs in net.params.values() for b in bs)))
    healed = gradients(net, 3)
    assert all(np.array_equal(a, b) for name in right for a, b in zip(right[name], healed[name]))


def test_the_layer_is_checked_at_the_bottoms_that_are_given(net):
    net.forward()
    values = np.full(net.blobs["flat"].shape, np.nan)
    assert not all(result.passed for result in check_fault(net, "ip1", 1, [values]))


def test_nets_in_float32_are_checked_by_their_layer_alone():
    single = Net(parse(NET, "NetParameter"), TRAIN, random_seed=1)
    single.forward()
    found = check_fault(single, "ip1", 1.5)
    assert {result.layer for result in found} == {"ip1"} and not any(result.passed for result in found)


@pytest.fixture
def solver(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)

    def write(rate=0.1):
        path = tmp_path / "solver.prototxt"
        path.write_text(f'net: "net.prototxt" base_lr: {rate} lr_policy: "fixed" snapshot: 1')
        return path

    return write


def test_training_goes_on_with_a_small_fault(net, solver):
    net.forward()
    found = break_layer(net, "ip1", 1.5, solver(), 20)
    assert (found.index, found.layer, found.factor, found.stopped) == (5, "ip1", 1.5, "")
    assert [step for step, _ in found.healthy] == [step for step, _ in found.faulty] == list(range(20))
    assert found.healthy[0] == found.faulty[0]      # the same weights, the same data
    assert found.healthy[2:] != found.faulty[2:]
    assert found.faulty[-1][1] < 0.5 * found.faulty[0][1]
    assert "wrong are 4 of 4 gradients (flat, param 0, param 1, whole net)." in found.text
    assert "After 20 iterations" in found.text and "does not prove" in found.text


def test_training_without_a_fault_is_the_same(net, solver):
    net.forward()
    found = break_layer(net, "ip1", 1, solver(), 5)
    assert found.healthy == found.faulty
    assert found.text.startswith("The check does not notice it")


def test_training_up_the_hill(net, solver):
    net.forward()
    found = break_layer(net, "loss", -1, solver(), 20)
    assert found.faulty[-1][1] > found.faulty[0][1]
    assert "only the net without the fault learns" in found.text


def test_training_that_ends(net, solver):
    net.forward()
    with np.errstate(all="ignore"):
        found = break_layer(net, "loss", -1e30, solver(), 20)
    assert "training stopped at iteration" in found.stopped and found.stopped in found.text
    assert len(found.faulty) < 20 == len(found.healthy)


def test_training_that_ends_without_a_fault(net, solver):
    net.forward()
    with np.errstate(all="ignore"):
        found = break_layer(net, "ip1", 2, solver(1e30), 5)
    assert "Training ends without it too: " in found.text and "training stopped at iteration" in found.text


def test_without_a_solver_there_is_only_the_check(net):
    net.forward()
    found = break_layer(net, "sig", 2)
    assert found.healthy == found.faulty == [] and found.text.endswith("wrong are 2 of 2 gradients (conv, whole net).")


@pytest.mark.parametrize("text, layer, factor", [("ip1:1.5", "ip1", 1.5), ("a:b/c:-1e-3", "a:b/c", -1e-3)])
def test_the_flag_is_read(text, layer, factor):
    assert parse_break(text) == (layer, factor)


@pytest.mark.parametrize("text, words", [
    ("ip1", "expected LAYER:FACTOR, such as ip1:1.5, got 'ip1'"), (":2", "got ':2'"), ("", "got ''"),
    ("ip1:", "expected a finite number behind 'ip1', got ''"), ("ip1:x", "got 'x'"), ("ip1:nan", "got 'nan'"),
    ("ip1:inf", "got 'inf'")])
def test_what_is_no_fault(text, words):
    with pytest.raises(NetError, match="--break") as caught:
        parse_break(text)
    assert words in str(caught.value)


def test_layers_that_cannot_be_broken(net):
    with pytest.raises(UnknownLayer, match="did you mean 'ip2' or 'ip1'"), broken(net, "ip", 2):
        pass
    with pytest.raises(NetError, match="changes nothing; break one of conv, sig"), broken(net, "data", 2):
        pass
    assert math.isfinite(net.loss)
