"""Watchers: what they are told, by a net and by anything that is watched."""

from types import SimpleNamespace

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.core.watching import Watched
from blobnet.errors import NetError, ShapeError
from blobnet.layers.activation.relu import ReLU
from blobnet.proto.text import parse

NET = '''
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
layer { name: "abs" type: "ReLU" bottom: "y" top: "y" }
layer { name: "loss" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1 }
'''


def build(text=NET):
    return Net(parse(text, "NetParameter"), TRAIN)


class Everything:
    """Notes every event with the name of the layer, or whether the whole net runs."""

    def __init__(self):
        self.seen = []

    def __getattr__(self, event):
        if event not in Net.events:
            raise AttributeError(event)
        return lambda value: self.seen.append((event, value if isinstance(value, bool) else value.layer.name))


def passes(way, names, whole):
    layers = [(f"{when}_{way}", name) for name in names for when in ("before", "after")]
    return [(f"before_{way}_pass", whole), *layers, (f"after_{way}_pass", whole)]


def test_the_events_of_a_net():
    net, watcher = build(), Everything()
    net.watch(watcher)
    net.forward()
    net.backward()
    assert watcher.seen == [*passes("forward", ["in", "ip", "abs", "loss"], True),
                            *passes("backward", ["loss", "abs", "ip", "in"], True)]  # also of "in", which does nothing
    watcher.seen.clear()
    net.forward(start="ip", end="abs")
    net.backward(start="abs")
    assert watcher.seen == [*passes("forward", ["ip", "abs"], False), *passes("backward", ["abs", "ip", "in"], False)]
    net.unwatch(watcher)
    watcher.seen.clear()
    net.forward()
    assert not watcher.seen


def test_what_a_watcher_finds():
    net, found = build(), []

    def forward(node):
        found.append((node.layer.index, node.bottom_names, node.top_names, node.needs_backward))
        assert all(blob is net.blobs[name] for blob, name in zip(node.tops, node.top_names, strict=True))

    watcher = SimpleNamespace(after_forward=forward, after_forward_pass=lambda whole: found.append(net.loss))
    with net.watched_by(watcher):
        net.forward(x=np.ones((2, 3)))
    net.forward()
    assert found == [(0, [], ["x"], False), (1, ["x"], ["y"], True), (2, ["y"], ["y"], True),
                     (3, ["y"], ["loss"], True), net.loss]


def test_only_the_methods_it_has_are_called_in_the_order_of_watching():
    net, seen = build(), []
    for name in "ab":
        net.watch(SimpleNamespace(before_forward_pass=lambda whole, name=name: seen.append(name)))
    net.forward()
    net.backward()
    assert seen == ["a", "b"]


def test_a_watcher_watches_once_and_goes_once():
    net, watcher = build(), Everything()
    for _ in range(2):
        net.watch(watcher)
    net.forward(end="in")
    assert watcher.seen == passes("forward", ["in"], False)
    for _ in range(2):
        net.unwatch(watcher)
    assert not net.is_watched_by(watcher)


def test_watchers_may_come_and_go_meanwhile():
    net, seen = build(), []
    second = SimpleNamespace(after_forward=lambda node: seen.append(node.layer.name))

    def change(node):
        (net.watch if node.layer.name == "ip" else net.unwatch)(second)

    net.watch(SimpleNamespace(before_forward=change))
    net.forward()
    assert seen == ["ip"]


@pytest.mark.parametrize("error", [MemoryError, ZeroDivisionError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("event", Net.events)
def test_what_a_watcher_raises_passes_through(event, error):
    net, raised = build(), error("array is too big")

    def refuse(value):
        raise raised

    with pytest.raises(error) as caught, net.watched_by(SimpleNamespace(**{event: refuse})):
        net.forward()
        net.backward()
    assert caught.value is raised and caught.value.args == ("array is too big",)
    net.forward()


def test_a_pass_that_an_error_ends_tells_nothing_more(monkeypatch):
    class Broken(ReLU):
        def forward(self, bottom, top):
            raise ShapeError("here")

    monkeypatch.setitem(LAYERS, "ReLU", Broken)
    net, watcher = build(), Everything()
    net.watch(watcher)
    with pytest.raises(ShapeError, match="layer 'abs'|here"):
        net.forward()
    assert watcher.seen[-1] == ("before_forward", "abs")


def test_a_watcher_without_a_method_for_any_event():
    with pytest.raises(NetError, match="watching a Net: expected methods named before_forward, .*; write at least one"):
        build().watch(SimpleNamespace(before_forwards=print))


def test_anything_can_be_watched():
    class Kettle(Watched):
        events = "boils", "whistles"

        def heat(self):
            self._tell("boils", 100)

    kettle, seen = Kettle(), []
    with kettle.watched_by(SimpleNamespace(boils=seen.append)):
        kettle.heat()
    kettle.heat()
    assert seen == [100]


def test_a_watcher_is_told_what_it_watches():
    net, seen = build(), []
    watcher = SimpleNamespace(before_forward_pass=print, begin_watching=seen.append)
    for _ in range(2):
        net.watch(watcher)
    assert seen == [net]

    def refuse(watched):
        raise NetError("net", "not this one")

    other = SimpleNamespace(before_forward_pass=print, begin_watching=refuse)
    with pytest.raises(NetError, match="not this one"):
        net.watch(other)
    assert not net.is_watched_by(other)


def test_a_function_may_watch_where_the_class_says_so():
    class Lamp(Watched):
        events, function_event = ("on", "off"), "off"

        def flash(self):
            self._tell("on", 1)
            self._tell("off", 2)

    class Both:
        """Its methods count, and not that it can be called."""

        def on(self, value):
            seen.append(("on", value))

        def __call__(self, value):
            seen.append(("call", value))

    lamp, seen = Lamp(), []
    with lamp.watched_by(seen.append), lamp.watched_by(Both()):
        lamp.flash()
    lamp.flash()
    assert seen == [("on", 1), 2]
    for other in (int, 5):
        with pytest.raises(NetError, match="methods named on, off"):
            lamp.watch(other)
