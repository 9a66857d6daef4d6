"""What layers and blobs say of themselves."""

import pytest

import blobnet
from blobnet.core.context import Context
from blobnet.core.registry import class_of
from blobnet.proto.text import parse

CONVOLUTION = 'type: "Convolution" convolution_param { num_output: 20 kernel_size: 5 pad: 1 }'


def param(text):
    return parse(f'layer {{ name: "l" {text} }}', "NetParameter").layer[0]


@pytest.mark.parametrize("text, said", [
    (CONVOLUTION, "<Convolution 'l': 20 outputs, kernel 5, stride 1, pad 1>"),
    ('type: "ReLU"', "<ReLU 'l'>"),
    ('type: "PReLU"', "<PReLU 'l'>"),
    ('type: "Data" data_param { batch_size: 64 }', "<Data 'l': batch 64>"),
    ('type: "PairwiseLoss"', "<PairwiseLoss 'l'>"),
])
def test_before_setup(text, said):
    given = param(text)
    assert repr(class_of(given)(given, Context())) == said


@pytest.mark.parametrize("text, said", [
    (CONVOLUTION, "20 outputs, kernel 5, stride 1, pad 1; weight (20, 1, 5, 5), bias (20,); 520 parameters>"),
    ('type: "InnerProduct" inner_product_param { num_output: 1 bias_term: false }',
     "1 output; weight (1, 900); 900 parameters>"),
    ('type: "PReLU"', "<PReLU 'l': param 0 (1,); 1 parameter>"),
    ('type: "BatchNorm"', "<BatchNorm 'l': param 0 (1,), param 1 (1,), param 2 (1,); 3 parameters>"),
])
def test_in_a_net(text, said):
    net = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 1 dim: 30 dim: 30 } } }'
    built = blobnet.Net(parse(f'{net} layer {{ name: "l" bottom: "x" top: "y" {text} }}', "NetParameter"))
    assert repr(built.layer_dict["l"]).endswith(said)


def test_blobs():
    assert repr(blobnet.Blob((64, 20, 24, 24))) == "<Blob 64x20x24x24 float32>"
    assert repr(blobnet.Blob((), dtype="float64")) == "<Blob scalar float64>"
