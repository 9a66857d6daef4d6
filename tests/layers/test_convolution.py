"""The Convolution layer: its options, its checks, and what the kernels do not know of."""

from __future__ import annotations

import numpy as np
import pytest
from layer_rows import build as build_row

from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN, Context
from blobnet.core.net import Net
from blobnet.core.registry import layer_class
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse


def build(options, shapes=((2, 4, 9, 8),)):
    text = f"layer {{ name: 'c' type: 'Convolution' convolution_param {{ {options} }} }}"
    param = parse(text, "NetParameter").layer[0]
    layer = layer_class("Convolution", "test")(param, Context(dtype=np.dtype("float64"), seed=1), 0)
    bottoms, tops = [Blob(shape, dtype="float64") for shape in shapes], [Blob((), dtype="float64") for _ in shapes]
    layer.initialize(bottoms, tops)
    rng = np.random.default_rng(0)
    for blob in (*bottoms, *layer.blobs):
        blob.data[...] = rng.standard_normal(blob.shape)
    return layer, bottoms, tops


@pytest.mark.parametrize("options, weight, top", [
    ("kernel_size: 3", (6, 4, 3, 3), (7, 6)),
    ("kernel_size: 3 kernel_size: 2", (6, 4, 3, 2), (7, 7)),
    ("kernel_h: 3 kernel_w: 2 pad_h: 1 stride_h: 1 stride_w: 2", (6, 4, 3, 2), (9, 4)),
    ("kernel_size: 3 stride: 2 pad: 1 dilation: 2", (6, 4, 3, 3), (4, 3)),
    ("kernel_size: 1 group: 2 engine: CUDNN force_nd_im2col: true", (6, 2, 1, 1), (9, 8)),
    ("kernel_size: 5 axis: -3", (6, 4, 5, 5), (5, 4)),
])
def test_shapes(options, weight, top):
    layer, _, (y,) = build("num_output: 6 " + options)
    assert [blob.shape for blob in layer.blobs] == [weight, (6,)] and y.shape == (2, 6, *top)


@pytest.mark.parametrize("options, error, says", [
    ("kernel_size: 3", NetError, "num_output above 0"),
    ("num_output: 6", NetError, "kernel_size once or 2 times"),
    ("num_output: 6 kernel_size: 3 kernel_h: 3", NetError, "either kernel_size or kernel_h and kernel_w"),
    ("num_output: 6 kernel_h: 3", NetError, "both kernel_h and kernel_w"),
    ("num_output: 6 kernel_size: 3 kernel_size: 3 kernel_size: 3", NetError, "got 3 times"),
    ("num_output: 6 kernel_size: 0", NetError, "kernel_size at least 1"),
    ("num_output: 6 kernel_size: 3 stride: 0", NetError, "stride at least 1"),
    ("num_output: 6 kernel_size: 3 stride_w: 2", NetError, "both stride_h and stride_w"),
    ("num_output: 6 kernel_size: 3 dilation: 0", NetError, "dilation at least 1"),
    ("num_output: 6 kernel_size: 3 group: 0", NetError, "group 0"),
    ("num_output: 6 kernel_h: 3 kernel_w: 3 axis: 2", NetError, "2 spatial axes for kernel_h and kernel_w"),
    ("num_output: 6 kernel_size: 3 group: 4", NetError, r"group to divide num_output \(6\)"),
    ("num_output: 6 kernel_size: 3 group: 3", NetError, r"group to divide the channels of the bottom \(4\)"),
    ("num_output: 6 kernel_size: 11", ShapeError, "spatial axes that the kernel fits into, "
     "got .* under a kernel of 11 x 11, stride 1, pad 0; take larger images, lower kernel_size, or raise pad"),
    ("num_output: 6 kernel_size: 11 stride: 2 stride: 3 dilation: 2", ShapeError, "stride 2 x 3, pad 0, dilation 2;"),
    ("num_output: 6 kernel_size: 3 axis: 4", ShapeError, "an axis in"),
])
def test_errors(options, error, says):
    with pytest.raises(error, match=f"'c'.*{says}"):
        build(options)


def test_errors_of_shapes():
    with pytest.raises(ShapeError, match="all bottoms of one shape"):
        build("num_output: 1 kernel_size: 1", [(1, 2, 3, 3), (1, 2, 3, 4)])
    layer, (x,), tops = build("num_output: 1 kernel_size: 1")
    for shape in ((2, 3, 9, 8), (2, 4, 9)):
        x.reshape(shape)
        with pytest.raises(ShapeError, match="4 channels on axis 1, then 2 spatial axes"):
            layer.update_shapes([x], tops)


def test_axis_merges_the_axes_before_it():
    layer, (x,), (y,) = build("num_output: 3 kernel_size: 2 axis: 2", [(2, 3, 4, 7)])
    assert layer.blobs[0].shape == (3, 4, 2) and y.shape == (2, 3, 3, 6)
    layer.forward([x], [y])
    weight, bias = (blob.data for blob in layer.blobs)
    want = sum(np.einsum("kc,abcq->abkq", weight[..., s], x.data[..., s:s + 6]) for s in range(2)) + bias[:, None]
    np.testing.assert_allclose(y.data, want, atol=1e-12)


def test_bottoms_share_the_parameters_and_gradients_add_up():
    options, shape = "num_output: 3 kernel_size: 3 stride: 2 pad: 1", (2, 4, 9, 8)
    layer, bottoms, tops = build(options, [shape, shape])
    layer.forward(bottoms, tops)
    rng = np.random.default_rng(1)
    for y in tops:
        y.diff[...] = rng.standard_normal(y.shape)
    layer.backward(tops, [True, False], bottoms)
    both = [blob.diff.copy() for blob in layer.blobs]
    assert bottoms[0].diff.any() and not bottoms[1].diff.any()
    for blob in layer.blobs:
        blob.diff[...] = 0
    for x, y in zip(bottoms, tops):
        alone = y.data.copy()
        layer.forward([x], [y])
        np.testing.assert_array_equal(y.data, alone)
        layer.backward([y], [False], [x])
    for blob, want in zip(layer.blobs, both):
        np.testing.assert_allclose(blob.diff, want, atol=1e-12)


def test_frozen_parameters_get_no_gradient():
    layer, bottoms, tops = build("num_output: 3 kernel_size: 3")
    layer.param_propagate_down[:] = False, True
    tops[0].diff[...] = 1
    layer.backward(tops, [False], bottoms)
    assert not layer.blobs[0].diff.any() and layer.blobs[1].diff.all() and not bottoms[0].diff.any()


def test_another_batch_size_and_back():
    layer, (x,), (y,) = build("num_output: 3 kernel_size: 3 pad: 1", [(70, 9, 6, 6)])
    layer.forward([x], [y])
    first, data = y.data[:2].copy(), x.data[:2].copy()
    x.reshape((2, 9, 6, 6))
    layer.update_shapes([x], [y])
    x.data[...] = data
    layer.forward([x], [y])
    np.testing.assert_allclose(y.data, first, atol=1e-12)


@pytest.mark.parametrize("options", [
    "kernel_size: 3 pad: 1", "kernel_size: 5 stride: 2 dilation: 2 pad: 4 group: 2", "kernel_size: 1 bias_term: false",
    "kernel_h: 1 kernel_w: 4 stride_h: 1 stride_w: 3"])
def test_opencv_agrees(options, tmp_path):
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        pytest.skip("this OpenCV reads no Caffe files")
    text = ('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 4 dim: 15 dim: 14 } } }\n'
            f'layer {{ name: "y" type: "Convolution" bottom: "x" top: "y" convolution_param {{ num_output: 6 {options} '
            'weight_filler { type: "gaussian" std: 1 } bias_filler { type: "uniform" } } }')
    net = Net(parse(text, "NetParameter"), TRAIN, random_seed=1)
    x = np.random.default_rng(0).standard_normal((3, 4, 15, 14), dtype=np.float32)
    net.forward(x=x)
    (tmp_path / "net.prototxt").write_text(text)
    net.save(tmp_path / "net.caffemodel")
    peer = cv2.dnn.readNetFromCaffe(str(tmp_path / "net.prototxt"), str(tmp_path / "net.caffemodel"))
    peer.setInput(x, "x")
    np.testing.assert_allclose(net.blobs["y"].data, peer.forward(), rtol=1e-4, atol=1e-4)


def test_a_kernel_less_than_a_stride_too_large():
    """The division of C++ rounds towards 0: one position, whose taps beyond the end meet zeros."""
    x = np.arange(1., 5).reshape(1, 1, 2, 2)
    conv = build_row("Convolution", [x], "convolution_param { num_output: 1 kernel_size: 3 stride: 2 "
                     "weight_filler { type: 'constant' value: 1 } }")
    (y,) = conv.forward()
    assert y.shape == (1, 1, 1, 1) and y.item() == x.sum()
    np.testing.assert_array_equal(conv.backward([np.ones((1, 1, 1, 1))], [True])[0], np.ones((1, 1, 2, 2)))
    (columns,) = build_row("Im2col", [x], "convolution_param { kernel_size: 3 stride: 2 }").forward()
    assert columns.ravel().tolist() == [1, 2, 0, 3, 4, 0, 0, 0, 0]
