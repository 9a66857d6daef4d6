"""Forward, backward, new shapes, and the random numbers of a net."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

NET = '''
name: "net" %s
layer { name: "in" type: "Input" top: "x" top: "target"
        input_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 } } }
layer { name: "hidden" type: "InnerProduct" bottom: "x" top: "h"
        inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "drop" type: "Dropout" bottom: "h" top: "h" }
layer { name: "relu" type: "ReLU" bottom: "h" top: "r" }
layer { name: "flat" type: "Flatten" bottom: "r" top: "f" }
layer { name: "ip" type: "InnerProduct" bottom: "f" top: "y"
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "norm" type: "EuclideanLoss" bottom: "y" bottom: "target" top: "loss" }
layer { name: "sum" type: "Power" bottom: "r" top: "p" loss_weight: 0.5 }
'''


def build(fields="", text=NET, **options):
    return Net(parse(text % fields, "NetParameter"), TRAIN, **{"random_seed": 3} | options)


def batch(n, seed=0):
    rng = np.random.default_rng([seed, n])
    return {"x": rng.normal(size=(n, 3)).astype("float32"), "target": rng.normal(size=(n, 2)).astype("float32")}


def run(net, **inputs):
    """Everything a step computes: loss, outputs and gradients."""
    net.clear_param_diffs()
    outputs = {name: value.copy() for name, value in net.forward(**inputs).items()}
    net.backward()
    return {"loss": net.loss, **outputs, **{
        f"{name} {i}": blob.diff.copy() for name, blobs in net.params.items() for i, blob in enumerate(blobs)}}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_forward_returns_the_outputs():
    net = build()
    outputs = net.forward(**batch(4))
    assert list(outputs) == ["loss", "p"]
    assert outputs["p"] is net.blobs["p"].data


def test_the_loss_is_the_weighted_sum():
    net = build()
    net.forward(**batch(4))
    distance = ((net.blobs["y"].data - net.blobs["target"].data) ** 2).sum() / 8
    assert net.loss == pytest.approx(distance + 0.5 * net.blobs["r"].data.sum(), rel=1e-5)


def test_a_loss_weight_is_the_gradient_of_a_layer_of_any_type():
    net = build()
    net.forward(**batch(4))
    net.backward()
    assert (net.blobs["p"].diff == 0.5).all()
    others = (net.blobs["y"].data - net.blobs["target"].data) / 4 @ net.params["ip"][0].data
    np.testing.assert_allclose(net.blobs["r"].diff, others + 0.5, rtol=1e-5)


def test_bottom_diffs_are_overwritten_and_parameter_diffs_accumulate():
    net = build()
    net.forward(**batch(4))
    net.backward()
    bottom, param = net.blobs["r"].diff.copy(), net.params["ip"][0].diff.copy()
    net.backward()
    np.testing.assert_array_equal(net.blobs["r"].diff, bottom)
    np.testing.assert_allclose(net.params["ip"][0].diff, 2 * param, rtol=1e-6)
    net.clear_param_diffs()
    assert not any(parameter.blob.diff.any() for parameter in net.parameters)


def test_a_batch_of_another_size_and_back():
    """Sizes 4, 7, 4: each as in a net that never knew another; what grew or shrank leaves no trace."""
    net = build()
    for n in (4, 7, 4, 1):
        net.seek(0)
        assert_same(run(net, **batch(n)), run(build(), **batch(n)))
        assert net.blobs["y"].shape == (n, 2)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_any_sequence_of_sizes(sizes):
    net = build()
    for n in sizes:
        net.seek(5)
        got = run(net, **batch(n))
    fresh = build()
    fresh.seek(5)
    assert_same(got, run(fresh, **batch(sizes[-1])))


def test_reshape_passes_shapes_on_without_running():
    net = build()
    net.blobs["x"].reshape(6, 3)
    net.blobs["target"].reshape(6, 2)
    net.reshape()
    assert net.blobs["y"].shape == (6, 2) and not net.blobs["y"].data.any() and net.context.step == 0


def test_a_shape_that_does_not_fit():
    net = build()
    with pytest.raises(ShapeError, match=r"layer 'hidden' \(InnerProduct\): expected 3 inputs a row"):
        net.forward(x=np.zeros((4, 8)), target=np.zeros((4, 2)))
    assert_same(run(net, **batch(4)), run(build(), **batch(4)))  # the net is still good


@pytest.mark.parametrize("value, got", [("abc", "str 'abc'"), ([[1], [1, 2]], r"list \[\[1\], \[1, 2\]\]"),
                                        (None, "None")])
def test_inputs_that_are_no_numbers(value, got):
    with pytest.raises(ShapeError, match=f"blob 'x', expected an array of numbers, got .*{got}"):
        build().forward(x=value)


@pytest.mark.parametrize("shape", [(1, 8, 8, 3), (8, 8, 3)])
def test_images_with_the_channels_last(shape):
    net = Net(parse('''
        layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
        layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 1 kernel_size: 3 } }
        ''', "NetParameter"))
    with pytest.raises(ShapeError, match="; images are N, C, H, W: move the channels to axis 1"):
        net.forward(x=np.zeros(shape))


def test_forward_of_a_part():
    net = build()
    net.forward(**batch(4))
    whole = {name: blob.data.copy() for name, blob in net.blobs.items()}
    net = build()
    assert list(net.forward(end="relu", **batch(4))) == ["r"]
    np.testing.assert_array_equal(net.blobs["r"].data, whole["r"])
    assert not net.blobs["y"].data.any()
    assert set(net.forward(start="r_relu_0_split")) == {"loss", "p"}
    np.testing.assert_array_equal(net.blobs["loss"].data, whole["loss"])
    assert list(net.forward(start="ip", end="ip")) == ["y"]


def test_forward_from_a_layer_with_another_batch_and_then_from_the_front():
    net = build()
    net.forward(**batch(4))
    net.forward(start="relu", h=np.ones((2, 5)), target=np.zeros((2, 2)))
    assert net.blobs["y"].shape == (2, 2)
    net.seek(0)
    assert_same(run(net, **batch(4)), run(build(), **batch(4)))


def test_layers_by_their_numbers():
    net, named = build(), build()
    x = batch(4)
    assert_same(net.forward(end=3, **x), named.forward(end="relu", **x))
    assert_same(net.forward(start=np.int64(4)), named.forward(start=named.layers[4].name))
    net.backward(7, 5)
    named.backward(named.layers[7].name, named.layers[5].name)
    np.testing.assert_array_equal(net.blobs["r"].diff, named.blobs["r"].diff)
    assert net.position("drop") == net.position(2) == 2


TWINS = """
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }
layer { type: "Power" bottom: "x" top: "a" power_param { scale: 2 } }
layer { type: "Power" bottom: "a" top: "b" power_param { scale: 3 } }
layer { name: "twin" type: "Power" bottom: "b" top: "c" power_param { scale: 5 } }
layer { name: "twin" type: "Power" bottom: "c" top: "d" power_param { scale: 7 } }
"""


def test_a_number_reaches_a_layer_that_its_name_does_not():
    net = build("", "force_backward: true %s" + TWINS)
    net.forward(x=np.ones(2))
    net.blobs["a"].data[...] = net.blobs["c"].data[...] = 1
    assert set(net.forward(2, 2)) == {"b"} and net.blobs["b"].data.tolist() == [3, 3]
    assert set(net.forward(4, 4)) == {"d"} and net.blobs["d"].data.tolist() == [7, 7]
    assert set(net.forward(end="twin")) == {"c"}
    net.blobs["d"].diff[...] = 1
    net.backward(4, 4)
    assert net.blobs["c"].diff.tolist() == [7, 7] and not net.blobs["b"].diff.any()


def test_backward_before_any_forward():
    net = build()
    net.blobs["y"].diff[...] = 1
    net.backward("ip", "ip")  # works on what is in its blobs
    assert net.params["ip"][1].diff.tolist() == [4, 4]
    for start in (None, "norm", "drop"):  # needs what forward kept
        with pytest.raises(NetError, match="layer .(norm|drop). .*: has nothing to run backward from; run forward"):
            net.backward(start)
    net.forward(**batch(4))
    net.backward()


def test_what_a_layer_that_ran_raises_passes_through(monkeypatch):
    net = build()
    net.forward(**batch(4))
    monkeypatch.setattr(net.layers[-1], "backward", lambda *blobs: {}[0])
    with pytest.raises(LookupError):
        net.backward()


def test_backward_of_a_part():
    net = build()
    net.forward(**batch(4))
    net.backward()
    whole = net.params["ip"][0].diff.copy()
    net.clear_param_diffs()
    net.backward(end="ip")
    np.testing.assert_array_equal(net.params["ip"][0].diff, whole)
    assert not net.params["hidden"][0].diff.any()
    net.backward(start="flat")
    assert net.params["hidden"][0].diff.any()
    np.testing.assert_array_equal(net.params["ip"][0].diff, whole)


def test_backward_from_a_diff_that_the_user_wrote():
    net = build()
    net.forward(**batch(4))
    net.blobs["y"].diff[...] = 1
    net.backward(start="ip", end="ip")
    np.testing.assert_array_equal(net.params["ip"][1].diff, [4, 4])


@pytest.mark.parametrize("call, words", [
    (lambda net: net.forward(start="ipp"), ["forward of net 'net'", "no layer 'ipp'", "did you mean 'ip'"]),
    (lambda net: net.backward(end="rel"), ["backward of net 'net'", "no layer 'rel'", "did you mean 'relu'"]),
    (lambda net: net.forward(start="ip", end="hidden"), ["layer 'ip' comes after 'hidden'", "exchange start and end"]),
    (lambda net: net.backward(start="hidden", end="ip"), ["layer 'ip' comes after 'hidden'", "exchange start and end"]),
    (lambda net: net.forward(0, 100), ["forward of net 'net'", "no layer 100", "expected a number from 0 to 8"]),
    (lambda net: net.forward(-1, 2), ["no layer -1", "expected a number from 0 to 8"]),
    (lambda net: net.forward(True), ["no layer True"]),
    (lambda net: net.forward(2, 1), ["layer 2 comes after 1"]),
    (lambda net: net.forward(X=[1]), ["net 'net'", "no blob 'X'", "did you mean 'x'"]),
])
def test_unknown_names(call, words):
    with pytest.raises(NetError) as error:
        call(build())
    assert isinstance(error.value, ValueError) == ("no layer" in str(error.value))
    assert all(word in str(error.value) for word in words), error.value


def test_only_what_learns_runs_backward():
    frozen = NET.replace('name: "hidden"', 'name: "hidden" param { lr_mult: 0 } param { lr_mult: 0 }')
    net = build(text=frozen)
    net.forward(**batch(4))
    net.backward()
    assert net.params["ip"][0].diff.any() and not net.params["hidden"][0].diff.any()
    assert not net.blobs["h"].diff.any() and not net.blobs["x"].diff.any()


def test_force_backward_reaches_the_inputs():
    net = build("force_backward: true")
    net.forward(**batch(4))
    diffs = net.backward()
    assert list(diffs) == ["x", "target"] and diffs["x"] is net.blobs["x"].diff
    delta = net.blobs["y"].data - net.blobs["target"].data
    np.testing.assert_allclose(diffs["target"], -delta / 4, rtol=1e-5)
    kept = (net.blobs["h"].data > 0) * 2  # dropout of ratio 0.5 doubles what it keeps
    expected = (kept * (delta / 4 @ net.params["ip"][0].data + 0.5)) @ net.params["hidden"][0].data
    np.testing.assert_allclose(diffs["x"], expected, rtol=1e-4)


def test_force_backward_gives_frozen_parameters_a_diff():
    text = NET.replace('name: "hidden"', 'name: "hidden" param { lr_mult: 0 }')
    net = build("force_backward: true", text)
    net.forward(**batch(4))
    net.backward()
    assert net.params["hidden"][0].diff.any()


def test_labels_are_not_forced():
    net = Net(parse('''force_backward: true
        layer { name: "in" type: "Input" top: "x" top: "l" input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "l" top: "loss" }''', "NetParameter"))
    net.forward(x=np.eye(4, 3), l=np.zeros(4))
    diffs = net.backward()
    assert diffs["x"].any() and not diffs["l"].any()


def test_every_step_has_its_numbers():
    net, other = build(), build()
    steps = [run(net, **batch(4)) for _ in range(3)]
    assert steps[0]["loss"] != steps[1]["loss"] != steps[2]["loss"]  # other units are dropped
    for step in steps:
        assert_same(run(other, **batch(4)), step)
    other.seek(1)
    assert_same(run(other, **batch(4)), steps[1])
    assert_same(run(other, **batch(4)), steps[2])


def test_nets_of_other_seeds_differ():
    assert run(build(random_seed=4), **batch(4))["loss"] != run(build(random_seed=5), **batch(4))["loss"]


def test_double_precision_agrees_with_single():
    single, double = build(), build(dtype="float64")
    for blobs in double.params.items():
        for blob, other in zip(blobs[1], single.params[blobs[0]]):
            blob.data[...] = other.data
    single, double = run(single, **batch(4)), run(double, **batch(4))
    for name in single:
        np.testing.assert_allclose(single[name], double[name], rtol=1e-4, atol=1e-6, err_msg=name)
