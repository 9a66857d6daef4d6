"""Kernels, windows and boxes of any geometry: models count places as Caffe does."""

import warnings

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from onnx_nets import CLOSE, difference, net_of_layer

from blobnet.errors import NetError, ShapeError

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def numbers(draw, *names, least=1, most=4):
    return " ".join(f"{name}: {draw(st.integers(least, most))}" for name in names)


def is_close(source, *values):
    """Whether the model of a layer is close to it; True where there is no such layer."""
    try:
        net, inputs = net_of_layer(source, values)
    except (NetError, ShapeError):
        return True
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return difference(net, inputs=inputs) < CLOSE


def random(*shape):
    return np.random.default_rng(4).normal(size=shape)


@settings(max_examples=60)
@given(st.data(), SIZES, st.sampled_from(["MAX", "AVE", "STOCHASTIC"]), st.sampled_from(["CEIL", "FLOOR"]))
def test_pooling(data, sizes, method, rounding):
    options = numbers(data.draw, "kernel_h", "kernel_w", "stride_h", "stride_w")
    pads = "" if method == "STOCHASTIC" else numbers(data.draw, "pad_h", "pad_w", least=0, most=2)
    tops = 'top: "y" top: "places"' if method == "MAX" else 'top: "y"'
    assert is_close(f'layer {{ name: "it" type: "Pooling" bottom: "x" {tops} pooling_param {{ pool: {method} {options} '
                    f'{pads} round_mode: {rounding} }} }}', abs(random(2, 2, *sizes)))


@settings(max_examples=40)
@given(st.data(), SIZES, st.sampled_from(["Convolution", "Deconvolution", "Im2col"]))
def test_convolution(data, sizes, kind):
    options = numbers(data.draw, "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation", most=3)
    pads = numbers(data.draw, "pad_h", "pad_w", least=0, most=2)
    options += ' num_output: 4 group: 2 weight_filler { type: "gaussian" std: 1 }'
    assert is_close(f'layer {{ name: "it" type: "{kind}" bottom: "x" top: "y" convolution_param {{ {options} {pads} '
                    "} }", random(2, 2, *sizes))


@settings(max_examples=30)
@given(st.data(), SIZES, st.sampled_from([1.0, 0.5, 0.0625, 0.7]))
def test_boxes(data, sizes, scale):
    corner = st.floats(-3, 12, width=16)
    boxes = data.draw(st.lists(st.tuples(st.integers(0, 1), *[corner] * 4), min_size=1, max_size=5))
    grid = numbers(data.draw, "pooled_h", "pooled_w")
    bins = "output_dim: 2 group_size: 2"
    for options, channels in ((f'"ROIPooling" roi_pooling_param {{ {grid} spatial_scale: {scale} }}', 2),
                              (f'"PSROIPooling" psroi_pooling_param {{ {bins} spatial_scale: {scale} }}', 8)):
        assert is_close(f'layer {{ name: "it" bottom: "x" bottom: "boxes" top: "y" type: {options} }}',
                        random(2, channels, *sizes), np.array(boxes))
