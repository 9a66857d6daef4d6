"""The Pooling layer: its options, its checks, its second top."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.core.blob import Blob
from blobnet.core.context import Context
from blobnet.core.registry import layer_class
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse


def build(options, x=(2, 3, 7, 8), tops=1):
    param = parse(f"layer {{ name: 'p' type: 'Pooling' pooling_param {{ {options} }} }}", "NetParameter").layer[0]
    layer = layer_class("Pooling", "test")(param, Context(dtype=np.dtype("float64"), seed=1), 0)
    x = np.random.default_rng(0).standard_normal(x) if isinstance(x, tuple) else np.asarray(x, float)
    bottom, tops = Blob(x.shape, dtype="float64"), [Blob((), dtype="float64") for _ in range(tops)]
    bottom.data[...] = x
    layer.initialize([bottom], tops)
    layer.forward([bottom], tops)
    return layer, bottom, tops


@pytest.mark.parametrize("options, shape", [
    ("kernel_size: 3 stride: 2", (3, 4)),
    ("kernel_size: 3 stride: 2 round_mode: FLOOR", (3, 3)),
    ("kernel_size: 3 stride: 2 pad: 1", (4, 5)),
    ("kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 1 pad_w: 0 engine: CAFFE", (8, 4)),
    ("global_pooling: true", (1, 1)),
])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_shapes(options, shape, method):
    layer, x, (y,) = build(f"pool: {method} {options}")
    assert y.shape == (2, 3, *shape)
    if shape == (1, 1):
        want = x.data.max((2, 3)) if method == "MAX" else x.data.mean((2, 3))
        np.testing.assert_allclose(y.data[..., 0, 0], want)


@pytest.mark.parametrize("options, says", [
    ("", "kernel_size, or kernel_h and kernel_w, got neither"),
    ("kernel_h: 3", "got kernel_h"),
    ("kernel_size: 3 kernel_h: 3 kernel_w: 3", "got kernel_size and kernel_h and kernel_w"),
    ("kernel_size: 3 stride: 2 stride_h: 2 stride_w: 2", "stride, or stride_h and stride_w"),
    ("kernel_size: 3 pad_w: 1", "pad, or pad_h and pad_w"),
    ("kernel_size: 0", "kernel_size at least 1"),
    ("kernel_size: 3 stride: 0", "stride at least 1"),
    ("kernel_size: 3 pad: 3", r"pad below the kernel \(3, 3\)"),
    ("global_pooling: true kernel_size: 3", "no kernel"),
    ("global_pooling: true stride: 2", "stride 1 with global_pooling"),
    ("pool: STOCHASTIC kernel_size: 2 pad: 1", "pad 0 with pool: STOCHASTIC"),
])
def test_errors(options, says):
    with pytest.raises(NetError, match=f"'p'.*{says}"):
        build(options)


@pytest.mark.parametrize("stride, last", [(3, np.nan), (4, 0)])  # the last windows start at row 6, or at row 8
def test_windows_beyond_x(stride, last):
    """As Caffe has it: a sum of nothing, divided by the size of the window up to the end of x, which is 0 or less."""
    layer, x, (y,) = build(f"pool: AVE kernel_size: 1 stride: {stride}", (1, 1, 6, 6))
    want = np.full((3, 3), last, float)
    want[:2, :2] = x.data[0, 0, ::stride, ::stride]
    np.testing.assert_array_equal(y.data[0, 0], want)
    y.diff[...] = 1
    layer.backward([y], [True], [x])
    slopes = np.zeros((6, 6))
    slopes[::stride, ::stride] = 1
    np.testing.assert_array_equal(x.diff[0, 0], slopes)


def test_maxima_beyond_x():
    layer, x, (y, places) = build("kernel_size: 1 stride: 3", (1, 1, 6, 6), tops=2)
    assert (y.data[0, 0, 2] == np.finfo(float).min).all() and (places.data[0, 0, :, 2] == -1).all()
    y.diff[...] = 1
    layer.backward([y, places], [True], [x])
    assert x.diff.sum() == 4


def test_errors_of_shapes():
    with pytest.raises(ShapeError, match="one spatial axis at least"):
        build("kernel_size: 2", (2, 3))
    with pytest.raises(ShapeError, match=r"fits a \(9, 9\) window"):
        build("kernel_size: 9 round_mode: FLOOR")
    with pytest.raises(NetError, match="2 tops"):
        build("pool: AVE kernel_size: 2", tops=2)


def test_the_second_top_says_where():
    layer, x, (y, mask) = build("kernel_size: 3 stride: 2 pad: 1", tops=2)
    assert mask.shape == y.shape
    for n, c in np.ndindex(2, 3):
        np.testing.assert_array_equal(x.data[n, c].ravel()[mask.data[n, c].astype(int)], y.data[n, c])


def test_overlapping_maxima_add_their_gradients():
    layer, x, (y,) = build("kernel_size: 2", [[[[1, 1, 0], [0, 5, 2], [5, 1, 1]]]])
    y.diff[...] = [[[[1, 2], [3, 4]]]]
    x.diff[...] = 9
    layer.backward([y], [True], [x])
    assert x.diff.tolist() == [[[[0, 0, 0], [0, 10, 0], [0, 0, 0]]]]
    layer.backward([y], [False], [x])
    assert x.diff.sum() == 10


def test_average_divides_by_the_padding_it_sees():
    _, _, (y,) = build("pool: AVE kernel_size: 3 stride: 2 pad: 1", np.ones((1, 1, 4, 4)))
    np.testing.assert_allclose(y.data[0, 0], np.outer([2 / 3, 1, 1 / 2], [2 / 3, 1, 1 / 2]))


@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_reshape_between_forwards(method):
    layer, x, (y,) = build(f"pool: {method} kernel_size: 3 stride: 2")
    small = x.data[:1, :, :5, :5].copy()
    x.reshape(small.shape)
    layer.update_shapes([x], [y])
    x.data[...] = small
    layer.forward([x], [y])
    y.diff[...] = 1
    layer.backward([y], [True], [x])
    np.testing.assert_array_equal(y.data, build(f"pool: {method} kernel_size: 3 stride: 2", small)[2][0].data)
    np.testing.assert_allclose(x.diff.sum(), y.count)
