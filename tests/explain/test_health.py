"""Marks: each where it should be, none in a healthy net."""

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.explain.health import marks
from blobnet.explain.seen import rms, see
from blobnet.explain.stage import Stage
from blobnet.proto.text import parse

DATA = """
layer { name: "data" type: "DummyData" top: "x" top: "label" dummy_data_param {
  shape { dim: 16 dim: 1 dim: 12 dim: 12 } shape { dim: 16 } data_filler { type: "uniform" min: 0 max: 1 }
  data_filler { value: 3 } } }
"""
LENET = DATA + """
layer { name: "conv1" type: "Convolution" bottom: "x" top: "conv1"
  convolution_param { num_output: 8 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1" inner_product_param { num_output: 50
  weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 10
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "BOTTOM" bottom: "label" top: "loss" }'


def product(name, bottom, weight='type: "xavier"', bias=0, outputs=20, more=""):
    return f"""layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {more}
      inner_product_param {{ num_output: {outputs} weight_filler {{ {weight} }} bias_filler {{ value: {bias} }} }} }}"""


def activation(kind, name, bottom, more=""):
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{name}" {more} }}'


def chain(count, weight, kind=""):
    """`count` layers of products, each with an activation behind it, and a loss."""
    text, below = DATA, "x"
    for i in range(count):
        text, below = text + product(f"ip{i}", below, weight), f"ip{i}"
        if kind:
            text, below = text + activation(kind, f"act{i}", below), f"act{i}"
    return text + LOSS.replace("BOTTOM", below)


def found(text, change=None):
    """The marks of a net after a pass, by layer name, as {kind: text}."""
    net = Net(parse(text, "NetParameter"), TRAIN, dtype="float64", random_seed=1)
    if change:
        change(net)
    stage = Stage(net)
    with np.errstate(all="ignore"):
        stage.run()
    return {net.layers[index].name: {mark.kind: mark.text for mark in given}
            for index, given in marks(see(stage)).items()}


def test_a_healthy_net_has_no_marks():
    assert found(LENET) == {}


@pytest.mark.parametrize("kind, more", [("ReLU", ""), ("ReLU6", "")])
def test_a_rectifier_with_a_very_negative_bias_is_dead(kind, more):
    text = DATA + product("ip", "x", bias=-100) + activation(kind, "act", "ip", more) + product("top", "act")
    marked = found(text + LOSS.replace("BOTTOM", "top"))
    assert set(marked["act"]) == {"dead"}
    assert marked["act"]["dead"].startswith("100.0% of its numbers are 0")
    assert "exactly 0" in marked["ip"]["idle"]


def test_a_leak_or_a_half_of_zeros_is_not_dead():
    body = product("ip", "x", bias=-100) + activation("ReLU", "act", "ip", "relu_param { negative_slope: 0.1 }")
    assert "act" not in found(DATA + body + LOSS.replace("BOTTOM", "act"))
    body = product("ip", "x", 'type: "gaussian" std: 1') + activation("ReLU", "act", "ip")
    assert "act" not in found(DATA + body + LOSS.replace("BOTTOM", "act"))


def test_channels_that_are_0_for_all_images_are_dead():
    text = LENET.replace('bottom: "conv1" top: "pool1"', 'bottom: "act" top: "pool1"')
    text = text.replace('layer { name: "pool1"', activation("ReLU", "act", "conv1") + 'layer { name: "pool1"')

    def silence(net):
        net.params["conv1"][0].data[...] = abs(net.params["conv1"][0].data)
        net.params["conv1"][1].data[[1, 4]] = -100

    marked = found(text, silence)
    assert list(marked) == ["act"]
    assert marked["act"]["dead"].startswith("2 of its 8 channels are 0 for all 16 images")


@pytest.mark.parametrize("kind, more, words", [
    ("Sigmoid", "", "1 % of 0 or 1"), ("TanH", "", "1 % of -1 or 1"), ("ScaleTanH", "", "1 % of -1 or 1"),
    ("Clip", "clip_param { min: -2 max: 3 }", "1 % of -2 or 3")])
def test_huge_weights_saturate(kind, more, words):
    text = DATA + product("ip", "x", 'type: "gaussian" std: 100') + activation(kind, "act", "ip", more)
    marked = found(text + LOSS.replace("BOTTOM", "act"))
    assert words in marked["act"]["saturated"]
    text = DATA + product("ip", "x", 'type: "gaussian" std: 0.05') + activation(kind, "act", "ip", more)
    assert "act" not in found(text + LOSS.replace("BOTTOM", "act"))


def test_one_bound_saturates_too():
    text = DATA + product("ip", "x", bias=-50) + activation("ELU", "act", "ip") + LOSS.replace("BOTTOM", "act")
    assert "within 1 % of -1:" in found(text)["act"]["saturated"]
    text = DATA + product("ip", "x", bias=50) + activation("ReLU6", "act", "ip") + LOSS.replace("BOTTOM", "act")
    assert "within 1 % of 6:" in found(text)["act"]["saturated"]


def test_gradients_vanish_in_a_deep_net_of_sigmoids():
    marked = found(chain(10, 'type: "xavier"', "Sigmoid"))
    assert {kind for given in marked.values() for kind in given} == {"vanishing"}
    assert {"ip1", "ip2", "act1"} <= set(marked)      # far from the loss
    assert not {"ip9", "act9", "ip8", "loss"} & set(marked)
    assert found(chain(2, 'type: "xavier"', "Sigmoid")) == {}


@pytest.mark.parametrize("scale, marked", [
    (2e-5, {"small": "vanishing", "ip0": "vanishing"}), (1e-3, {}), (3e2, {}), (1e5, {"small": "exploding"})])
def test_how_small_and_how_large_gradients_must_be(scale, marked):
    """A layer multiplies by a number after one product and before three others."""
    text = DATA + product("ip0", "x") + activation("Power", "small", "ip0", f"power_param {{ scale: {scale} }}")
    below = "small"
    for name in ("a", "b", "c"):
        text, below = text + product(name, below), name
    kinds = {name: {kind for kind in given} for name, given in found(text + LOSS.replace("BOTTOM", below)).items()}
    assert {name: kinds.get(name) for name in marked} == {name: {kind} for name, kind in marked.items()}
    assert bool(kinds) == bool(marked)


def test_gradients_explode_with_large_weights():
    marked = found(chain(8, 'type: "gaussian" std: 20').replace("SoftmaxWithLoss", "HingeLoss"))
    assert {kind for given in marked.values() for kind in given} == {"exploding"}
    assert "bottom 'ip0'" in marked["ip1"]["exploding"]
    assert not {"ip7", "ip6", "loss"} & set(marked)


def test_numbers_that_are_not_finite_are_marked_where_they_are():
    marked = found(LENET, lambda net: net.params["ip2"][0].data.fill(np.nan))
    assert marked["ip2"]["exploding"].startswith("160 of the 160 numbers")
    assert "is not finite" in marked["ip1"]["exploding"]
    assert "pool1" in marked and "data" not in marked


def test_frozen_parameters_are_idle():
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    text = DATA + product("a", "x", more=frozen) + product("b", "a", more="param { } param { lr_mult: 0 }")
    assert found(text + LOSS.replace("BOTTOM", "b")) == {
        "a": {"idle": "It learns nothing: it is frozen, its lr_mult is 0."},
        "b": {"idle": "Parameter 1 learns nothing: it is frozen, its lr_mult is 0."}}


def test_layers_without_a_loss_behind_them_are_idle():
    text = DATA + product("a", "x") + product("side", "a") + LOSS.replace("BOTTOM", "a")
    assert found(text) == {"side": {"idle": "It learns nothing: no loss is behind it."}}


def test_layers_that_are_cut_off_are_idle():
    text = DATA + product("a", "x") + product("b", "a", more="propagate_down: false") + LOSS.replace("BOTTOM", "b")
    assert list(found(text)) == ["a"]
    assert "propagate_down: false" in found(text)["a"]["idle"]
    assert found(text + LOSS.replace("BOTTOM", "a").replace("loss", "other")) == {}  # another way is open


def test_statistics_are_not_idle():
    text = DATA + product("a", "x") + activation("BatchNorm", "bn", "a") + product("b", "bn")
    assert "bn" not in found(text + LOSS.replace("BOTTOM", "b"))


def test_splits_have_no_marks_and_no_names():
    marked = found(LENET.replace('type: "Accuracy"', 'type: "Silence"').replace('top: "accuracy"', ""),
                   lambda net: net.params["ip2"][0].data.fill(1e300))
    assert not any("split" in text for given in marked.values() for text in given.values())
    assert not any("split" in name for name in marked)


@pytest.mark.parametrize("numbers, size", [([], 0), ([0, 0], 0), ([3, -4, 0, 0], 2.5), ([1e300, -1e300], 1e300),
                                           ([1, np.inf], np.inf)])
def test_the_root_mean_square_does_not_overflow(numbers, size):
    assert rms(np.array(numbers, float)) == pytest.approx(size, rel=1e-12)
    assert np.isnan(rms(np.array([1, np.nan])))
