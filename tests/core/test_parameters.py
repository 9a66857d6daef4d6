"""Parameters, their multipliers, and sharing by name."""

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

INPUT = '''layer { name: "in" type: "Input" top: "x" top: "target"
           input_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 3 } } } '''
INPUT_OF_ONE = 'layer { name: "i" type: "Input" top: "one" input_param { shape { dim: 2 dim: 1 } } } '
LOSS = 'layer { name: "loss" type: "EuclideanLoss" bottom: "%s" bottom: "target" top: "loss" }'


def ip(name, bottom, param="", outputs=3, options="bias_term: false"):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {param} '
            f'inner_product_param {{ num_output: {outputs} weight_filler {{ type: "xavier" }} {options} }} }} ')


def build(text, **options):
    return Net(parse(INPUT + text, "NetParameter"), TRAIN, random_seed=2, **options)


def rules(net):
    return [(parameter.layer.name, parameter.index, parameter.lr_mult, parameter.decay_mult)
            for parameter in net.parameters]


@pytest.mark.parametrize("param, expected", [
    ("", [(1, 1), (1, 1)]),
    ("param { lr_mult: 0 }", [(0, 1), (1, 1)]),
    ("param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }", [(1, 1), (2, 0)]),
    ("param { } param { decay_mult: 3 }", [(1, 1), (1, 3)]),
])
def test_multipliers(param, expected):
    net = build(ip("a", "x", param, options=""))
    assert rules(net) == [("a", i, *pair) for i, pair in enumerate(expected)]
    assert [parameter.blob for parameter in net.parameters] == net.params["a"]
    assert net.layer_dict["a"].param_propagate_down == [rate != 0 for rate, _ in expected]


SHARED = ip("a", "x", 'param { name: "w" }') + ip("b", "a", 'param { name: "w" }') + LOSS % "b"


def test_sharers_have_one_memory_and_one_parameter():
    net = build(SHARED)
    a, b = net.params["a"][0], net.params["b"][0]
    assert rules(net) == [("a", 0, 1, 1)] and net.parameters[0].name == "w"
    assert np.shares_memory(a.data, b.data) and np.shares_memory(a.diff, b.diff)
    assert np.ptp(a.data) > 0  # the owner's filler counts


def test_gradients_of_sharers_add_up():
    net = build(SHARED)
    apart = build(SHARED.replace('param { name: "w" }', ""))
    for blob in (apart.params["a"][0], apart.params["b"][0]):
        blob.data[...] = net.params["a"][0].data
    x, target = np.random.default_rng(1).normal(size=(2, 4, 3))
    for each in (net, apart):
        each.forward(x=x, target=target)
        each.backward()
    a, b = (apart.params[name][0].diff for name in "ab")
    np.testing.assert_allclose(net.params["a"][0].diff, a + b, rtol=1e-5)


def test_parameters_without_a_name_are_not_shared():
    net = build(ip("a", "x", 'param { name: "" }') + ip("b", "a", 'param { name: "" }'))
    assert len(net.parameters) == 2 and not np.shares_memory(net.params["a"][0].data, net.params["b"][0].data)


def test_a_sharer_that_does_not_learn():
    net = build(ip("a", "x", 'param { name: "w" }') + ip("b", "a", 'param { name: "w" }')
                + LOSS % "b")
    alone = build(ip("a", "x", 'param { name: "w" lr_mult: 0 }') + ip("b", "a", 'param { name: "w" }') + LOSS % "b")
    x, target = np.random.default_rng(1).normal(size=(2, 4, 3))
    for each in (net, alone):
        each.forward(x=x, target=target)
        each.backward()
    assert rules(alone) == [("a", 0, 0, 1)]
    assert alone.params["b"][0].diff.any() and (alone.params["b"][0].diff != net.params["b"][0].diff).any()


@pytest.mark.parametrize("first, second, expected", [
    ("lr_mult: 2", "", (2, 1)), ("", "lr_mult: 2", (2, 1)), ("lr_mult: 2", "lr_mult: 2", (2, 1)),
    ("lr_mult: 3", "decay_mult: 0", (3, 0)), ("lr_mult: 1", "lr_mult: 1 decay_mult: 0", (1, 0))])
def test_any_sharer_may_give_the_multipliers(first, second, expected):
    net = build(ip("a", "x", f'param {{ name: "w" {first} }}') + ip("b", "a", f'param {{ name: "w" {second} }}'))
    assert rules(net) == [("a", 0, *expected)]


@pytest.mark.parametrize("first, second, words", [
    ("lr_mult: 2", "lr_mult: 1", ["expected lr_mult 2, got 1"]),
    ("decay_mult: 0", "decay_mult: 0.5", ["expected decay_mult 0, got 0.5"])])
def test_multipliers_that_differ(first, second, words):
    with pytest.raises(NetError) as error:
        build(ip("a", "x", f'param {{ name: "w" {first} }}') + ip("b", "a", f'param {{ name: "w" {second} }}'))
    for word in ["layer 'b' (InnerProduct)", "shares 'w' with layer 'a' (InnerProduct)", *words]:
        assert word in str(error.value)


OTHER_SHAPE = ip("a", "x", 'param { name: "w" }', 2) + ip("b", "a", 'param { name: "w" %s }', 3)  # (2, 3) and (3, 2)


def test_strict_sharing_wants_one_shape():
    with pytest.raises(ShapeError) as error:
        build(OTHER_SHAPE % "")
    assert str(error.value) == (
        "layer 'b' (InnerProduct): parameter 0 shares 'w' with layer 'a' (InnerProduct), expected shape (2, 3), "
        "got shape (3, 2); share_mode: PERMISSIVE asks for equal counts only")


def test_permissive_sharing_wants_one_count():
    net = build(OTHER_SHAPE % "share_mode: PERMISSIVE")
    a, b = net.params["a"][0], net.params["b"][0]
    assert (a.shape, b.shape) == ((2, 3), (3, 2)) and np.shares_memory(a.data, b.data)
    text = (OTHER_SHAPE % "share_mode: PERMISSIVE").replace("num_output: 3", "num_output: 4")
    with pytest.raises(ShapeError, match=r"expected shape \(2, 3\) or the same count, got shape \(4, 2\)$"):
        build(text)


def test_two_parameters_of_one_layer():
    net = build(INPUT_OF_ONE + ip("a", "one", 'param { name: "w" } param { name: "w" share_mode: PERMISSIVE }', 3, ""))
    weight, bias = net.params["a"]
    assert (weight.shape, bias.shape) == ((3, 1), (3,)) and np.shares_memory(weight.data, bias.data)
    assert len(net.parameters) == 1


def test_share_with_another_net():
    net, other = build(ip("a", "x") + ip("b", "a")), build(ip("b", "x") + ip("c", "b"))
    c = other.params["c"][0].data.copy()
    other.share_with(net)
    net.params["b"][0].data[...] = 7
    assert (other.params["b"][0].data == 7).all() and not np.shares_memory(
        other.params["b"][0].diff, net.params["b"][0].diff)
    np.testing.assert_array_equal(other.params["c"][0].data, c)


@pytest.mark.parametrize("other", [ip("a", "x") + ip("b", "a", outputs=5), ip("a", "x") + ip("b", "a", options="")])
def test_share_with_a_net_of_other_shapes(other):
    net, other = build(ip("a", "x") + ip("b", "a")), build(other)
    with pytest.raises(ShapeError) as error:
        other.share_with(net)
    for word in ("layer 'b' (InnerProduct)", "expected shapes", "got shapes (3, 3)"):
        assert word in str(error.value)
    assert not np.shares_memory(other.params["a"][0].data, net.params["a"][0].data)


def test_share_with_a_layer_without_parameters():
    net, other = build(ip("b", "x")), build('layer { name: "b" type: "ReLU" bottom: "x" top: "y" }')
    for one, two in ((net, other), (other, net)):
        with pytest.raises(ShapeError, match="layer 'b' .* sharing parameters"):
            one.share_with(two)
