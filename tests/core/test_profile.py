"""Profile: every layer and pass is counted and timed."""

import time

import pytest

from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.profile import Profile, Time
from blobnet.core.registry import LAYERS
from blobnet.proto.text import parse

SECONDS = 0.02


class Sleeper(Layer):
    """Takes its time: as long as that in forward, three times that in backward."""

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        time.sleep(SECONDS)

    def backward(self, top, propagate_down, bottom):
        time.sleep(3 * SECONDS)


@pytest.fixture
def net(monkeypatch):
    monkeypatch.setitem(LAYERS, "Sleeper", Sleeper)
    return Net(parse("""
        layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 axis: 0 } }
        layer { name: "nap" type: "Sleeper" bottom: "y" top: "z" }
        layer { name: "loss" type: "Reduction" bottom: "z" top: "loss" loss_weight: 1 }""", "NetParameter"), TRAIN)


def test_totals(net):
    profile = Profile()
    net.forward()
    with net.watched_by(profile):
        for _ in range(3):
            net.forward()
        for _ in range(2):
            net.backward()
    net.forward()
    for times, whole, calls, least in ((profile.forward, profile.forward_pass, 3, SECONDS),
                                       (profile.backward, profile.backward_pass, 2, 3 * SECONDS)):
        assert set(times) == set(net.layers)
        assert all(each.calls == calls for each in [*times.values(), whole])
        assert times[net.layer_dict["nap"]].seconds >= calls * least
        assert sum(each.seconds for each in times.values()) <= whole.seconds
        assert whole.ms == pytest.approx(1e3 * whole.seconds / calls)


def test_the_table(net):
    profile = Profile()
    with net.watched_by(profile):
        net.forward(end="nap")
        net.forward(end="nap")
        net.backward(start="nap")
    heads, *layers, total = profile.rows()
    assert [(row[0], row[1], row[3], row[5]) for row in layers] == [
        ("in", "Input", "2", "1"), ("ip", "InnerProduct", "2", "1"), ("nap", "Sleeper", "2", "1")]
    assert [bool(row[6]) for row in layers] == [False, True, False] and total[6] == layers[1][6]
    assert total[0] == "all" and total[-1] == "100.0%" and heads[0] == "layer"
    assert float(layers[-1][4]) >= 3e3 * SECONDS and float(layers[-1][-1].rstrip("%")) > 50
    lines = str(profile).splitlines()
    assert len(lines) == 5 and len({len(line) for line in lines}) == 1 and lines[3].split()[0] == "nap"


def test_before_anything_ran():
    assert Time().ms == 0 and len(Profile().rows()) == 2
