"""What Caffe logs while a net is built, word for word, and of weights that are copied."""

import logging

import pytest

from blobnet.core.building_log import log
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.proto.text import parse

NET = """
name: "line"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "relu" type: "ReLU" bottom: "x" top: "x" }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" param { name: "w" }
  inner_product_param { num_output: 3 bias_term: false } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { name: "w" }
  inner_product_param { num_output: 3 bias_term: false } }
layer { name: "loss" type: "EuclideanLoss" bottom: "b" bottom: "x" top: "loss" loss_weight: 0.5 }
layer { name: "score" type: "Accuracy" bottom: "b" bottom: "x" top: "score" include { phase: TEST } }
"""
LINES = """\
Creating layer x
Creating Layer x
x -> x
Setting up x
Top shape: 2 3 (6)
Memory required for data: 24
Creating layer relu
Creating Layer relu
relu <- x
relu -> x (in-place)
Setting up relu
Top shape: 2 3 (6)
Memory required for data: 48
Creating layer x_relu_0_split
Creating Layer x_relu_0_split
x_relu_0_split <- x
x_relu_0_split -> x_relu_0_split_0
x_relu_0_split -> x_relu_0_split_1
Setting up x_relu_0_split
Top shape: 2 3 (6)
Top shape: 2 3 (6)
Memory required for data: 96
Creating layer a
Creating Layer a
a <- x_relu_0_split_0
a -> a
Setting up a
Top shape: 2 3 (6)
Memory required for data: 120
Creating layer b
Creating Layer b
b <- a
b -> b
Setting up b
Top shape: 2 3 (6)
Memory required for data: 144
Sharing parameters 'w' owned by layer 'a', param index 0
Creating layer loss
Creating Layer loss
loss <- b
loss <- x_relu_0_split_1
loss -> loss
Setting up loss
Top shape: (1)
    with loss weight 0.5
Memory required for data: 148
loss needs backward computation.
b needs backward computation.
a needs backward computation.
x_relu_0_split does not need backward computation.
relu does not need backward computation.
x does not need backward computation.
This network produces output loss
Network initialization done."""


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "blobnet")
    return lambda: [record.getMessage() for record in caplog.records if record.name == log.name]


@pytest.mark.parametrize("settings", ["", "force_backward: true"])
def test_a_net(lines, settings):
    Net(parse(settings + NET, "NetParameter"), TRAIN)
    rule, definition, *rest = lines()
    assert rule == "The NetState phase (0) differed from the phase (1) specified by a rule in layer score"
    title, _, text = definition.partition("\n")
    assert title == "Initializing net from parameters: " and not text.endswith("\n")
    assert [layer.name for layer in parse(text, "NetParameter").layer] == ["x", "relu", "a", "b", "loss"]
    assert rest == LINES.split("\n")


def test_tops_without_a_name(lines):
    Net(parse(NET.replace('top: "loss" loss_weight: 0.5', ""), "NetParameter"), TRAIN)
    said = lines()
    assert said[said.index("Setting up loss") - 1] == "loss -> (automatic)"
    assert "This network produces output (automatic)" not in said


def test_weights_in_the_definition_are_not_shown(lines):
    net = parse(NET, "NetParameter")
    blob = net.layer[2].blobs.add()
    blob.shape.dim[:] = 3, 3
    blob.data[:] = [4321] * 9
    assert Net(net, TRAIN).params["a"][0].data[0, 0] == 4321
    assert "4321" not in lines()[1] and len(net.layer[2].blobs) == 1


@pytest.mark.parametrize("name", ["net.caffemodel", "net.caffemodel.h5"])
def test_layers_of_a_file_that_the_net_lacks(lines, caplog, tmp_path, name):
    Net(parse(NET.replace('"b" type', '"old/b" type'), "NetParameter"), TRAIN).save(tmp_path / name)
    net = Net(parse(NET, "NetParameter"), TRAIN)
    caplog.clear()
    net.copy_from(tmp_path / name)
    assert lines() == [f"Ignoring source layer {'old/b' if name == 'net.caffemodel' else 'old'}"]


def test_silence(caplog):
    Net(parse(NET, "NetParameter"), TRAIN)
    assert not caplog.records
