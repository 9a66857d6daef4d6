"""How much memory a net takes."""

import numpy as np
import pytest

import blobnet
from blobnet.core.memory import memory
from blobnet.proto.text import parse

NET = """
layer { name: "data" type: "Input" top: "data" top: "label" input_param {
  shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 5 } LEARNS }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
CONV, IP, DATA, POOLED = 4 * 3 * 9 + 4, 5 * 64 + 5, 2 * 3 * 64, 2 * 4 * 16
BLOBS = 2 * 4 * 64 + POOLED + 10 + 1  # conv, pool, ip, loss


def build(learns="", dtype="float32"):
    net = blobnet.Net(parse(NET.replace("LEARNS", learns), "NetParameter"), blobnet.TRAIN, random_seed=1, dtype=dtype)
    net.blobs["data"].data[...] = np.random.default_rng(1).normal(size=(2, 3, 8, 8))
    return net


@pytest.mark.parametrize("dtype, size", [("float32", 4), ("float64", 8)])
def test_what_stands_in_the_shapes(dtype, size):
    net = build(dtype=dtype)
    for _ in range(2):  # before and after a pass
        found = memory(net)
        assert found.parameters == found.parameter_diffs == (CONV + IP) * size
        assert found.data == (DATA + 2 + BLOBS) * size
        assert found.diffs == BLOBS * size  # not those of the images and labels
        net.forward()
        net.backward()


def test_what_learns_nothing_has_no_gradient():
    assert memory(build("param { lr_mult: 0 } param { lr_mult: 0 }")).parameter_diffs == CONV * 4


def test_a_smaller_batch_keeps_the_memory_of_the_larger_one():
    net = build()
    net.forward()
    before = memory(net)
    net.forward(data=np.zeros((1, 3, 8, 8)), label=np.zeros(1))
    assert memory(net).data == before.data


def test_views_and_splits_count_once():
    text = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 6 } } }
layer { name: "flat" type: "Reshape" bottom: "x" top: "flat" reshape_param { shape { dim: 3 dim: 4 } } }
layer { name: "a" type: "TanH" bottom: "flat" top: "a" }
layer { name: "b" type: "TanH" bottom: "flat" top: "b" }"""
    assert memory(blobnet.Net(parse(text, "NetParameter"))).data == 3 * 12 * 4


def test_what_layers_keep_is_found_by_their_names():
    net = build()
    found = memory(net)
    assert found.layers["pool"] >= POOLED            # a byte for each window, and the corners
    assert found.layers["loss"] == 10 * 4            # probabilities
    assert not {"data", "relu", "ip"} & set(found.layers)
    assert found.total == sum((found.parameters, found.parameter_diffs, found.data, found.diffs, found.workspace,
                               *found.layers.values()))
