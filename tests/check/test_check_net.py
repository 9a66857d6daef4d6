"""Checking whole nets, without their data."""

import numpy as np
import pytest
from small_net import NET

from blobnet.check import check_net
from blobnet.core.context import TEST, TRAIN
from blobnet.core.registry import LAYERS
from blobnet.errors import BlobnetError, NetError, ShapeError
from blobnet.proto.text import parse


def net(text=NET):
    return parse(text, "NetParameter")


def by_place(results):
    return {(result.layer, result.blob): result for result in results}


def test_every_gradient_of_a_net_is_checked():
    results = by_place(check_net(net()))
    assert all(result.passed for result in results.values())
    assert {place for place, result in results.items() if result.checked} == {
        ("conv", "data"), ("conv", "param 0"), ("conv", "param 1"), ("relu", "conv"), ("pool", "conv"),
        ("ip", "pool"), ("ip", "param 0"), ("ip", "param 1"), ("drop", "ip"), ("ip_drop_0_split", "ip"),
        ("label_d_1_split", "label"), ("loss", "ip_drop_0_split_0"), ("hash", "ip_drop_0_split_1"),
        ("(whole net)", "loss")}
    assert "EXACT" in results["hash", "ip_drop_0_split_1"].note


def test_phase_and_layers_are_chosen():
    results = check_net(net(), TEST, layers=["acc", "ip"])
    assert [(result.layer, result.blob) for result in results] == [
        ("ip", "pool"), ("ip", "param 0"), ("ip", "param 1"), ("acc", "")]
    with pytest.raises(NetError, match="'ippp'.*did you mean 'ip'"):
        check_net(net(), layers=["ippp"])


def test_batch_is_cut_unless_shapes_are_given(monkeypatch):
    seen = []
    right = LAYERS["Convolution"].forward

    def forward(self, bottom, top):
        seen.append(bottom[0].shape)
        right(self, bottom, top)

    monkeypatch.setattr(LAYERS["Convolution"], "forward", forward)
    check_net(net(), layers=["relu"])
    assert set(seen) == {(6, 2, 12, 12)}
    seen.clear()
    check_net(net(), layers=["relu"], shapes={"data": (7, 3, 10, 9)})
    assert set(seen) == {(7, 3, 10, 9)}
    seen.clear()
    check_net(net(), layers=["relu"], inputs={"data": np.ones((2, 2, 9, 9)), "label": [0, 1]})
    assert set(seen) == {(2, 2, 9, 9)}


SLICED = """
layer { name: "d" type: "Data" top: "x" data_param { batch_size: 12 }
        transform_param { crop_size: 2 mean_value: [1, 2] } }
layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" top: "c"
        slice_param { axis: 0 slice_point: 4 slice_point: %d } }
layer { name: "ip" type: "InnerProduct" bottom: "a" top: "ip"
        inner_product_param { num_output: 8 weight_filler { type: "xavier" } } }
layer { name: "flat" type: "Flatten" bottom: "b" top: "flat" }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "flat" top: "loss" }
layer { name: "quiet" type: "Silence" bottom: "c" }
"""


def test_a_batch_that_is_sliced_stays_whole():
    results = by_place(check_net(net(SLICED % 8)))
    assert all(result.passed for result in results.values())
    assert results["ip", "param 0"].checked and results["(whole net)", "loss"].checked
    with pytest.raises(ShapeError, match="within 0 and 12 .*13"):  # not what is wrong with six
        check_net(net(SLICED % 13))


def test_a_wrong_layer_is_named(monkeypatch):
    right = LAYERS["Pooling"].backward

    def backward(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        bottom[0].diff[...] *= 1.01

    monkeypatch.setattr(LAYERS["Pooling"], "backward", backward)
    assert {result.layer for result in check_net(net()) if not result.passed} == {"pool", "(whole net)"}


def test_layers_are_checked_at_the_values_that_come_to_them(monkeypatch):
    met = {}
    monkeypatch.setattr("blobnet.check.net.check_standalone",
                        lambda alone, *rest: met.setdefault(alone.layer.name, alone.values[0].min()) and [])
    check_net(net("""
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "times" type: "Power" bottom: "x" top: "a" power_param { scale: 7 } }
        layer { name: "ip" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" }
                inner_product_param { num_output: 4 bias_term: false weight_filler { value: 5 } } }
        layer { name: "w" type: "Parameter" top: "w" param { name: "w" }
                parameter_param { shape { dim: 4 dim: 3 } } }
        layer { name: "weight" type: "Power" bottom: "w" top: "c" }"""), inputs={"x": np.full((2, 3), 2)}, layers=[
            "times", "ip", "weight"])
    assert 2 <= met["times"] < 3 and 14 <= met["ip"] < 21 and 4 < met["weight"] < 7


def test_wrong_wiring_is_noticed_though_all_layers_are_right():
    text = """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "a"
                inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
        layer { name: "sigmoid" type: "Sigmoid" bottom: "a" top: "b" }
        layer { name: "tanh" type: "TanH" bottom: "b" top: "b" }
        layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "x" top: "loss" }"""
    failed = [result.layer for result in check_net(net(text)) if not result.passed]
    assert failed == ["(whole net)"]  # the sigmoid's backward needs its output, which tanh overwrote
    assert not [r for r in check_net(net(text.replace('bottom: "b" top: "b"', 'bottom: "b" top: "c"').replace(
        'bottom: "b" bottom: "x"', 'bottom: "c" bottom: "x"'))) if not r.passed]


def test_shared_parameters():
    text = """
        layer { name: "x" type: "Input" top: "x" top: "z" input_param { shape { dim: 3 dim: 4 } } }
        layer { name: "one" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" } param { name: "b" }
                inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
        layer { name: "two" type: "InnerProduct" bottom: "z" top: "b" param { name: "w" } param { name: "b" }
                inner_product_param { num_output: 2 } }
        layer { name: "loss" type: "EuclideanLoss" bottom: "a" bottom: "b" top: "loss" }"""
    results = by_place(check_net(net(text)))
    assert all(result.passed for result in results.values())
    assert results["(whole net)", "loss"].checked


CUT = """
    layer { name: "x" type: "Input" top: "x" top: "z" input_param { shape { dim: 3 dim: 4 } shape { dim: 3 dim: 4 } } }
    layer { name: "one" type: "InnerProduct" bottom: "x" top: "a"
            inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    layer { name: "relu" type: "ReLU" bottom: "a" top: "a" }
    layer { name: "two" type: "InnerProduct" bottom: "a" top: "b" propagate_down: false
            inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "z" top: "loss" }"""


def test_parameters_whose_gradient_is_cut_off_are_left_alone():
    results = by_place(check_net(net(CUT)))
    assert all(result.passed for result in results.values())
    assert results["(whole net)", "loss"].checked


def test_a_loss_of_which_a_part_is_cut_off_is_left_out():
    more = 'layer { name: "near" type: "EuclideanLoss" bottom: "a" bottom: "z" top: "near" }'
    *layers, whole = check_net(net(CUT + more))
    assert all(result.passed for result in layers)
    assert (whole.checked, whole.passed, whole.note) == (0, True, "propagate_down cuts a part of a gradient")


def test_a_net_without_loss_is_checked_layer_by_layer():
    text = """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 } } }
        layer { name: "softmax" type: "Softmax" bottom: "x" top: "y" }"""
    assert [(result.layer, result.passed) for result in check_net(net(text), TEST)] == [("softmax", True)]


def test_labels_reach_losses_through_slices():
    text = """
        layer { name: "x" type: "Input" top: "x" top: "both"
                input_param { shape { dim: 6 dim: 4 } shape { dim: 6 dim: 2 } } }
        layer { name: "cut" type: "Slice" bottom: "both" top: "l" top: "rest" }
        layer { name: "quiet" type: "Silence" bottom: "rest" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "l" top: "loss" }"""
    assert all(result.passed for result in check_net(net(text), TRAIN))


def test_shapes_that_cannot_be_told():
    with pytest.raises(BlobnetError, match="--shape data=N,C,H,W"):
        check_net(net(NET.replace("crop_size: 12", "")))
