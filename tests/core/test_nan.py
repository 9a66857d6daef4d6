"""StopAtNotFinite: the first layer that makes a NaN or an infinity is named while the net runs."""

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.nan import StopAtNotFinite
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.errors import NetError
from blobnet.proto.text import parse

NET = """force_backward: true
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "FIRST" bottom: "x" top: "a" }
layer { name: "b" type: "ReLU" bottom: "a" top: "a" }
layer { name: "c" type: "SECOND" bottom: "a" top: "c" }
layer { name: "loss" type: "Reduction" bottom: "c" top: "loss" loss_weight: 1 }"""


class Good(Layer):
    """Copies, but for one number."""

    bad_data = bad_diff = 1.0

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data
        top[0].data[1, 2] *= self.bad_data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff
        bottom[0].diff[0, 1] *= self.bad_diff


class BadForward(Good):
    bad_data = np.nan


class BadBackward(Good):
    bad_diff = -np.inf


@pytest.fixture
def build(monkeypatch):
    for cls in (Good, BadForward, BadBackward):
        monkeypatch.setitem(LAYERS, cls.__name__, cls)

    def make(first, second):
        net = Net(parse(NET.replace("FIRST", first).replace("SECOND", second), "NetParameter"), TRAIN)
        net.blobs["x"].data[...] = 1
        return net

    return make


def runs(net, passes):
    with net.watched_by(StopAtNotFinite()):
        for _ in range(passes):
            net.forward()
            net.backward()


@pytest.mark.parametrize("first, second, words", [
    ("BadForward", "Good", "layer 'a' (BadForward), forward of step 0: nan at (1, 2) of top 'a'"),
    ("BadForward", "BadForward", "layer 'a' (BadForward), forward of step 0: nan at (1, 2) of top 'a'"),
    ("Good", "BadForward", "layer 'c' (BadForward), forward of step 0: nan at (1, 2) of top 'c'"),
    ("BadBackward", "BadForward", "layer 'c' (BadForward), forward of step 0: nan at (1, 2) of top 'c'"),
    ("BadBackward", "Good", "layer 'a' (BadBackward), backward of step 0: -inf at (0, 1) of the diff of bottom 'x'"),
    ("BadBackward", "BadBackward",
     "layer 'c' (BadBackward), backward of step 0: -inf at (0, 1) of the diff of bottom 'a'"),
])
def test_the_first_is_named(build, first, second, words):
    with pytest.raises(NetError) as caught:
        runs(build(first, second), 1)
    assert str(caught.value).startswith(words) and "base_lr" in str(caught.value)


@pytest.mark.parametrize("where, words", [("bad_data", "forward of step 2"), ("bad_diff", "backward of step 2")])
def test_the_step(build, where, words):
    net = build("Good", "Good")
    runs(net, 2)
    setattr(net.layer_dict["c"], where, np.nan)
    with pytest.raises(NetError, match=words):
        runs(net, 3)
    assert net.context.step == (2 if where == "bad_data" else 3)


def test_what_ran_later_has_not_run(build):
    """The ReLU, which works in place, would have written over it."""
    net = build("BadForward", "Good")
    net.blobs["x"].data[...] = -1
    with pytest.raises(NetError):
        runs(net, 1)
    assert net.blobs["a"].data[0, 0] == -1 and net.blobs["c"].data[0, 0] == 0


def test_a_parameter_is_named_rather_than_the_top_it_spoils():
    net = Net(parse("""layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }""",
                    "NetParameter"), TRAIN)
    net.params["ip"][0].data[1, 2] = np.nan
    with pytest.raises(NetError, match=r"layer 'ip' .*nan at \(1, 2\) of parameter 0 before this pass"):
        runs(net, 1)


def test_inputs_are_looked_at(build):
    net = build("Good", "Good")
    net.blobs["x"].data[0, 0] = np.nan
    with pytest.raises(NetError, match="layer 'in' .*nan at .* of top 'x' itself"):
        runs(net, 1)


def test_a_net_that_is_sound_runs_as_without(build):
    net = build("Good", "Good")
    runs(net, 2)
    watched = net.blobs["x"].diff.copy()
    net.backward()
    np.testing.assert_array_equal(net.blobs["x"].diff, watched)
