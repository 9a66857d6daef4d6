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
