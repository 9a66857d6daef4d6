"""Gradients through layers that share memory: whatever shares, whatever reads, a parameter gets its own."""

import numpy as np
import pytest

from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.proto.text import parse

VIEWS = {"Reshape": "reshape_param { shape { dim: 3 dim: -1 } }", "Flatten": "flatten_param { axis: 0 }",
         "Concat": "concat_param { axis: 0 }", "Slice": "slice_param { axis: 0 }", "Split": ""}
PARAMETER = 'layer { name: "p" type: "Parameter" top: "w" parameter_param { shape { dim: 3 dim: 2 } } } '
LOSS = 'layer { name: "l" type: "Reduction" bottom: "%s" top: "l" loss_weight: 1 reduction_param { operation: SUMSQ } }'


def layer(kind, bottom, top):
    return f'layer {{ name: "{kind}{top}" type: "{kind}" bottom: "{bottom}" top: "{top}" {VIEWS.get(kind, "")} }} '


def gradient(text):
    """The gradient of the one parameter, 1 ... 6, in the second of two passes."""
    net = Net(parse(text, "NetParameter"), TRAIN, random_seed=1, dtype="float64")
    weight = net.params["p"][0]
    weight.data[...] = np.arange(1, 7).reshape(3, 2)
    for _ in range(2):
        net.clear_param_diffs()
        net.forward()
        net.backward()
    return weight.diff.copy()


@pytest.mark.parametrize("second", [None, "ReLU", *VIEWS])
@pytest.mark.parametrize("first", VIEWS)
def test_a_parameter_learns_through_views(first, second):
    text = PARAMETER + layer(first, "w", "a")
    top = "a"
    if second is not None:
        top = "a" if second == "ReLU" else "b"  # ReLU works in place
        text += layer(second, "a", top)
    np.testing.assert_array_equal(gradient(text + LOSS % top), 2 * np.arange(1, 7).reshape(3, 2))


@pytest.mark.parametrize("kind", [kind for kind in VIEWS if kind != "Split"])
def test_a_view_that_is_the_loss(kind):
    """The diff of its top holds the loss weight, and is the diff of the parameter, which is cleared."""
    text = PARAMETER + layer(kind, "w", "a").replace("top:", "loss_weight: 3 top:")
    assert (gradient(text) == 3).all()


def test_a_follower_follows_its_owner_to_another():
    first, second, third = (Blob((2,)) for _ in range(3))
    first.share_diff(second)
    second.share_diff(third)
    third.share_diff(first)  # they share already
    third.diff[...] = 5
    assert (first.diff == 5).all() and (second.diff == 5).all()


INNER = 'layer { name: "%s" type: "InnerProduct" bottom: "%s" top: "%s" %s inner_product_param { num_output: 2 %s } } '
SHARED = 'param { name: "w" } param { name: "b" }'
INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 } } } '
FILLED = 'weight_filler { type: "gaussian" std: 1 } bias_filler { type: "gaussian" std: 1 }'
TWICE = (INPUT + INNER % ("one", "x", "a", SHARED, FILLED) + layer("Reshape", "a", "b").replace("dim: 3", "dim: 0")
         + INNER % ("two", "b", "c", SHARED, FILLED) + LOSS % "c")


def make(text, rows=3):
    """A net with an input x of so many rows."""
    net = Net(parse(text, "NetParameter"), TRAIN, random_seed=1, dtype="float64")
    feed(net, rows)
    return net


def feed(net, rows):
    net.blobs["x"].reshape((rows, 2))
    net.blobs["x"].data[...] = np.sin(np.arange(2 * rows)).reshape(rows, 2)


def numeric(net, blob):
    """Central differences of the loss by the elements of `blob`."""
    flat, slopes = blob.data.reshape(-1), []
    for i, value in enumerate(flat.tolist()):
        losses = []
        for step in (1e-5, -1e-5):
            flat[i] = value + step
            net.forward()
            losses.append(net.loss)
        flat[i] = value
        slopes.append((losses[0] - losses[1]) / 2e-5)
    net.forward()
    return np.reshape(slopes, blob.shape)


def gradients(net, passes=1):
    net.clear_param_diffs()
    for _ in range(passes):
        net.forward()
        net.backward()
    return [parameter.blob.diff.copy() for parameter in net.parameters]


def assert_right(net, passes=1):
    for blob in [parameter.blob for parameter in net.parameters]:
        wanted = numeric(net, blob)
        gradients(net, passes)
        np.testing.assert_allclose(blob.diff, passes * wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("passes", [1, 2])  # as many as iter_size
@pytest.mark.parametrize("rows", [1, 3, 7])
def test_a_name_shared_by_two_layers_around_a_view(rows, passes):
    net = make(TWICE)
    assert_right(net)
    feed(net, rows)
    assert_right(net, passes)


@pytest.mark.parametrize("kind", VIEWS)
def test_a_growing_batch_behind_a_view(kind):
    net = make(INPUT + INNER % ("one", "x", "a", "", FILLED) + layer(kind, "a", "b").replace("dim: 3", "dim: 0")
               + (INNER % ("two", "b", "c", "", FILLED) if kind != "Flatten" else layer("TanH", "b", "c"))
               + LOSS % "c")
    for rows in (3, 8, 2, 20):
        feed(net, rows)
        assert_right(net)


def test_nets_that_share_have_gradients_of_their_own():
    first, second = make(TWICE), make(TWICE, 5)
    second.share_with(first)
    first.params["one"][0].data[0] = 3
    np.testing.assert_array_equal(second.params["two"][0].data[0], 3)
    before = gradients(first)
    assert_right(second)
    assert all(np.array_equal(a, p.blob.diff) for a, p in zip(before, first.parameters))
    assert_right(first)


@pytest.mark.parametrize("kind", VIEWS)
def test_a_top_diff_written_by_hand(kind):
    """From the view down, with a diff in its top, and with force_backward down to the input."""
    net = make("force_backward: true " + INPUT + INNER % ("one", "x", "a", "", FILLED)
               + layer(kind, "a", "b") + layer("TanH", "b", "c"))
    net.forward()
    for _ in range(2):
        net.clear_param_diffs()
        diff = np.random.default_rng(0).normal(size=net.blobs["b"].shape)
        net.blobs["b"].diff[...] = diff
        net.backward(start=f"{kind}b")
        diff = diff.reshape(3, 2)
        weight, bias = net.params["one"]
        np.testing.assert_allclose(weight.diff, diff.T @ net.blobs["x"].data)
        np.testing.assert_allclose(bias.diff, diff.sum(0))
        np.testing.assert_allclose(net.blobs["x"].diff, diff @ weight.data)
