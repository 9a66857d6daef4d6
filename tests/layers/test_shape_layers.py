"""Layers that move numbers without changing them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_rows import build

from blobnet.core.net import Net
from blobnet.proto.text import parse

X = np.arange(120.0).reshape(2, 3, 4, 5)


@pytest.mark.parametrize(("options", "shape"), [
    ("", (2, 60)), ("axis: 0", (120,)), ("axis: 2", (2, 3, 20)), ("axis: 1 end_axis: 2", (2, 12, 5)),
    ("axis: -3 end_axis: -2", (2, 12, 5)), ("axis: 3", (2, 3, 4, 5)), ("axis: 2 end_axis: 2", (2, 3, 4, 5))])
def test_flatten(options, shape):
    alone = build("Flatten", [X], f"flatten_param {{ {options} }}")
    (y,) = alone.forward()
    assert y.shape == shape
    assert y.ravel().tolist() == X.ravel().tolist()
    (dx,) = alone.backward([y + 1], [True])
    np.testing.assert_array_equal(dx, X + 1)
    assert np.shares_memory(alone.top[0].data, alone.bottom[0].data)


@given(st.data())
def test_concat_puts_together_what_slice_cut(data):
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    points = sorted(data.draw(st.sets(st.integers(1, max(1, shape[axis] - 1)), max_size=shape[axis] - 1)))
    x = np.arange(float(np.prod(shape))).reshape(shape)
    tops = " ".join(f"y{i}" for i in range(len(points) + 1))
    cuts = " ".join(f"slice_point: {point}" for point in points)
    cut = build("Slice", [x], f"slice_param {{ axis: {axis} {cuts} }}", tops)
    parts = cut.forward()
    for part, want in zip(parts, np.split(x, points, axis=axis), strict=True):
        np.testing.assert_array_equal(part, want)
    join = build("Concat", parts, f"concat_param {{ axis: {axis} }}")
    np.testing.assert_array_equal(join.forward()[0], x)
    back = join.backward([x * 2], [True] * len(parts))
    np.testing.assert_array_equal(cut.backward(back, [True])[0], x * 2)


@pytest.mark.parametrize("axis", ["slice_dim: 2", "axis: 2", "axis: -2"])
def test_equal_slices(axis):
    first, second = build("Slice", [X], f"slice_param {{ {axis} }}", "a b").forward()
    np.testing.assert_array_equal(first, X[:, :, :2])
    np.testing.assert_array_equal(second, X[:, :, 2:])


def test_concat_of_the_old_name():
    (y,) = build("Concat", [X, X], "concat_param { concat_dim: 0 }").forward()
    np.testing.assert_array_equal(y, np.vstack([X, X]))


def test_one_bottom_and_one_top():
    np.testing.assert_array_equal(build("Concat", [X]).forward()[0], X)
    np.testing.assert_array_equal(build("Slice", [X]).forward()[0], X)


def test_concat_gives_gradients_to_those_who_ask():
    alone = build("Concat", [[[1.0]], [[2.0]], [[3.0]]])
    alone.forward()
    alone.bottom[1].diff.fill(9)
    diffs = alone.backward([np.array([[4.0, 5.0, 6.0]])], [True, False, True])
    assert [float(diff[0, 0]) for diff in diffs] == [4, 9, 6]


@pytest.mark.parametrize("tops", ["a", "a b", "a b c d"])
def test_split_adds_up_what_comes_back(tops):
    alone = build("Split", [X], tops=tops)
    outputs = alone.forward()
    assert all(np.array_equal(y, X) for y in outputs)
    (dx,) = alone.backward([X * 10 ** i for i in range(len(outputs))], [True])
    np.testing.assert_array_equal(dx, X * int("1" * len(outputs)))


def test_silence_clears_the_gradients_asked_for():
    alone = build("Silence", [X, X], tops="")
    assert alone.forward() == []
    for blob in alone.bottom:
        blob.diff.fill(3)
    first, second = alone.backward([], [True, False])
    assert not first.any()
    assert (second == 3).all()


def test_flatten_of_no_axes_puts_one_in():
    assert build("Flatten", [np.zeros((4, 2))], "flatten_param { end_axis: 0 }").forward()[0].shape == (4, 1, 2)


def test_a_last_slice_may_be_empty():
    x = np.arange(9.).reshape(3, 3)
    y, rest = build("Slice", [x], "slice_param { slice_point: 3 }", tops="a b").forward()
    np.testing.assert_array_equal(y, x)
    assert rest.shape == (3, 0)


@pytest.mark.parametrize("kind", ["Concat", "Slice"])
def test_a_single_blob_is_shared(kind):
    """So a layer in place above changes what stands below, as in Caffe."""
    net = Net(parse(f"""force_backward: true  input: "x" input_shape {{ dim: 1 dim: 3 }}
        layer {{ name: "s" type: "Sigmoid" bottom: "x" top: "y" }}
        layer {{ name: "c" type: "{kind}" bottom: "y" top: "c" }}
        layer {{ name: "p" type: "Power" bottom: "c" top: "c" power_param {{ scale: -1 }} }}""", "NetParameter"))
    net.blobs["x"].data[...] = [1, 2, 3]
    net.forward()
    net.blobs["c"].diff[...] = 1
    net.backward()
    np.testing.assert_allclose(net.blobs["y"].data, [[-0.731, -0.881, -0.953]], atol=1e-3)
    np.testing.assert_allclose(net.blobs["x"].diff, [[-1.266, -1.657, -1.860]], atol=1e-3)


@pytest.mark.parametrize("order", ["", "order: 0 order: 1", "order: 0 order: 1 order: 2 order: 3"])
def test_a_natural_order_shares(order):
    alone = build("Permute", [X], f"permute_param {{ {order} }}")
    np.testing.assert_array_equal(alone.forward()[0], X)
    assert np.shares_memory(alone.top[0].data, alone.bottom[0].data)
    assert np.shares_memory(alone.top[0].diff, alone.bottom[0].diff)


def test_reorg_mixes_channels_as_published():
    """A row of 4 channels of 2 x 2 is read as one of 4 x 4; its four corners of cells become channels."""
    x = np.arange(16.).reshape(1, 4, 2, 2)
    there = build("Reorg", [x], "reorg_param { stride: 2 }").forward()[0]
    assert there.shape == (1, 16, 1, 1)
    assert there.ravel().tolist() == [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]
    back = build("Reorg", [there.reshape(x.shape)], "reorg_param { stride: 2 reverse: true }").forward()[0]
    assert back.shape == (1, 1, 4, 4)
    np.testing.assert_array_equal(back.ravel(), x.ravel())


def test_shuffled_channels():
    x = np.arange(6.).reshape(1, 6)
    y = build("ShuffleChannel", [x], "shuffle_channel_param { group: 2 }").forward()[0]
    assert y.shape == (1, 6, 1, 1)
    assert y.ravel().tolist() == [0, 3, 1, 4, 2, 5]
