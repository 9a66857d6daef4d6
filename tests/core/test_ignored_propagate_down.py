"""Layers whose backward takes no notice of propagate_down: false, as in Caffe; a Split adds what they hand down."""

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.proto.text import parse

FALSE = "propagate_down: false"
KINDS = {"Softmax": "", "BatchNorm": "", "MVN": "", "LRN": "", "Im2col": "convolution_param { kernel_size: 1 }",
         "Flatten": "flatten_param { axis: -1 }"}
HEEDING = {"Sigmoid": "", "LRN": "lrn_param { norm_region: WITHIN_CHANNEL }"}
SHAPE = "shape { dim: 2 dim: 3 dim: 2 dim: 2 }"


def slope(kind, options, wish, other=2):
    """The gradient of a learned blob that `kind` reads and, if `other`, a Power which doubles it."""
    text = f'''
        layer {{ name: "x" type: "Input" top: "x" input_param {{ {SHAPE} }} }}
        layer {{ name: "p" type: "Bias" bottom: "x" top: "w" bias_param {{ axis: 0 num_axes: -1 }} }}
        layer {{ name: "it" type: "{kind}" bottom: "w" top: "y" {options} {wish} }}
        layer {{ name: "l" type: "Reduction" bottom: "y" top: "l" loss_weight: 1
                 reduction_param {{ operation: SUMSQ }} }}'''
    if other:
        text += f'''layer {{ name: "o" type: "Power" bottom: "w" top: "z" power_param {{ scale: {other} }} }}
                    layer {{ name: "k" type: "Reduction" bottom: "z" top: "k" loss_weight: 1 }}'''
    net = Net(parse(text, "NetParameter"), TRAIN, random_seed=1, dtype="float64")
    net.blobs["x"].data[...] = np.random.default_rng(0).normal(size=(2, 3, 2, 2))
    net.forward()
    net.clear_param_diffs()
    net.backward()
    return net.params["p"][0].diff.copy()


@pytest.mark.parametrize("kind", KINDS)
def test_beside_another_reader_it_is_ignored(kind):
    ignored = slope(kind, KINDS[kind], FALSE)
    np.testing.assert_array_equal(ignored, slope(kind, KINDS[kind], ""))
    assert (ignored != 2).any()


@pytest.mark.parametrize("kind", HEEDING)
def test_others_heed_it(kind):
    assert (slope(kind, HEEDING[kind], FALSE) == 2).all()
    assert (slope(kind, HEEDING[kind], "") != 2).any()


@pytest.mark.parametrize("kind", KINDS)
def test_alone_it_cuts_off_what_lies_below(kind):
    assert slope(kind, KINDS[kind], "", other=0).any() or kind == "BatchNorm"
    if kind != "Flatten":  # whose bottom has the memory of its top
        assert not slope(kind, KINDS[kind], FALSE, other=0).any()
