"""One number worked out: `Net.explain` in words, in HTML, and what it leaves as it was."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import blobnet
from blobnet.errors import NetError, ShapeError, UnknownLayer
from blobnet.proto.text import parse

NET = """
force_backward: true
layer { name: "in" type: "Input" top: "data" top: "label" input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 4 weight_filler { type: "gaussian" std: 1 } bias_filler { value: 0.5 } } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


@pytest.fixture(params=["float32", "float64"])
def net(request):
    net = blobnet.Net(parse(NET, "NetParameter"), blobnet.TRAIN, random_seed=1, dtype=request.param)
    net.forward(data=np.arange(6).reshape(2, 3) / 4 - 0.5, label=[1, 3])
    return net


def test_a_number_is_the_sum_of_what_is_said(net):
    weight, bias = (blob.data for blob in net.params["ip"])
    data = net.blobs["data"].data
    found = net.explain("ip", (1, 2))
    assert found.value == pytest.approx(weight[2] @ data[1] + bias[2], rel=1e-5)  # before the ReLU in place
    assert found.terms.value == pytest.approx(found.value, rel=1e-5)
    assert [len(term) for term in found.terms.terms] == [2, 2, 2, 1]
    said = str(found)
    assert said.startswith("ip y[1, 2] = ") and "{weight[2, 0]}" in said and "{x[1, 0]}" in said
    assert "0.5 {bias[2]}" in said


@pytest.mark.parametrize("of, number, cell", [("bottom", 0, (0, 1)), ("param", 0, (3, 2)), ("param", 1, (3,))])
def test_a_gradient_agrees_with_its_difference(net, of, number, cell):
    found = net.explain("ip", cell, of, number)
    assert found.value == pytest.approx(found.numeric, rel=1e-2 if net.dtype == np.float32 else 1e-6)
    assert found.terms.value == pytest.approx(found.value, rel=1e-5)
    assert "the difference says" in str(found)


def test_explaining_leaves_the_net_as_it_was(net):
    before = [blob.data.copy() for blob in net.params["ip"]]
    net.explain("ip", (3, 2), "param")
    net.explain("loss", (0, 1), "bottom")
    assert all(np.array_equal(old, blob.data) for old, blob in zip(before, net.params["ip"]))
    step, loss = net.context.step, net.loss
    net.explain("loss", ())
    assert (net.context.step, net.loss) == (step, loss)
    assert np.array_equal(net.forward()["loss"], np.asarray(loss, net.dtype))


def test_a_notebook_shows_it(net):
    root = ElementTree.fromstring(net.explain("loss", (0, 1), "bottom")._repr_html_())
    text = "".join(root.itertext())
    assert "loss dx[0, 1]" in text and "the class is the label" in text and "the difference says" in text


@pytest.mark.parametrize("question, error, said", [
    (("ipp", (0, 0)), UnknownLayer, "did you mean 'ip'"),
    (("ip", (0, 4)), ShapeError, "a cell within (2, 4)"),
    (("ip", (0,)), ShapeError, "a cell within (2, 4)"),
    (("ip", (0, 0), "side"), NetError, "top, bottom or param"),
    (("ip", (0, 0), "param", 2), NetError, "one of 2"),
    (("loss", (0,), "bottom", 1), NetError, "gets no gradient")])
def test_what_is_not_there(net, question, error, said):
    with pytest.raises(error, match=said.replace("(", r"\(").replace(")", r"\)")):
        net.explain(*question)
