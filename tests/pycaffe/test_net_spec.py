"""Nets written in Python."""

import pickle
from collections import Counter

import numpy as np
import pytest

from blobnet.errors import NetError, ParseError
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.pycaffe.net_spec import Function, NetSpec, assign_proto, to_proto
from blobnet.pycaffe.net_spec import layers as L
from blobnet.pycaffe.net_spec import params as P


def data():
    return L.Input(shape=dict(dim=[1, 1, 8, 8]))


@pytest.mark.parametrize("make, text", [
    (lambda x: L.Convolution(x, num_output=4, kernel_size=3, weight_filler=dict(type="xavier")),
     "convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } }"),
    (lambda x: L.Convolution(x, kernel_size=(3, 5), pad=[np.int64(1), 2]),
     "convolution_param { kernel_size: [3, 5] pad: [1, 2] }"),
    (lambda x: L.Convolution(x, param=[dict(lr_mult=0), dict(lr_mult=2, decay_mult=0)]),
     "param { lr_mult: 0 } param { lr_mult: 2 decay_mult: 0 }"),
    (lambda x: L.Convolution(x, param=[new("ParamSpec", name="w")]), "param { name: 'w' }"),
    (lambda x: L.Convolution(x, convolution_param=dict(num_output=4), loss_weight=1, include=dict(phase=1)),
     "convolution_param { num_output: 4 } loss_weight: 1 include { phase: TEST }"),
    (lambda x: L.Pooling(x, pool=P.Pooling.AVE, global_pooling=True),
     "pooling_param { pool: AVE global_pooling: true }"),
    (lambda x: L.Deconvolution(x, num_output=4), "convolution_param { num_output: 4 }"),
    (lambda x: L.OfAPlugInYetToCome(x, transform_param=dict(scale=2)), "transform_param { scale: 2 }"),
    (lambda x: L.PReLU(x, name="own"), "name: 'own'"),
    (lambda x: L.ReLU(x, relu_param=dict()), ""),
    (lambda x: L.Convolution(x, num_output=1, weight_filler={}, include=dict()),
     "convolution_param { num_output: 1 } include {}"),
    (lambda x: L.ReLU(x, relu_param=new("ReLUParameter")), "relu_param {}"),
])
def test_fields(make, text):
    layer = make(data()).to_proto().layer[1]
    want = parse(f"layer {{ {text} }}", "NetParameter").layer[0]
    for name, value in dict(type=layer.type, bottom="Input1", top=f"{layer.type}1", name=f"{layer.type}1").items():
        if not getattr(want, name):
            assign_proto(want, name, value)
    assert layer == want


def test_names_of_assignments_and_of_the_rest():
    n = NetSpec()
    n.data, n.label = L.DummyData(shape=[dict(dim=[2, 3]), dict(dim=2)], ntop=2)
    hidden = L.ReLU(L.InnerProduct(n.data, num_output=5), in_place=True)
    n["score"] = L.InnerProduct(hidden, num_output=2)
    n.out = L.Silence(n.score, n.label, ntop=0)
    net = n.to_proto()
    assert [(layer.name, list(layer.bottom), list(layer.top)) for layer in net.layer] == [
        ("data", [], ["data", "label"]), ("InnerProduct1", ["data"], ["InnerProduct1"]),
        ("ReLU1", ["InnerProduct1"], ["InnerProduct1"]), ("score", ["InnerProduct1"], ["score"]),
        ("out", ["score", "label"], [])]
    assert n["score"] is n.score and list(n.tops) == ["data", "label", "score", "out"]
    assert to_proto(n.score).layer[0].name == "DummyData1"


def test_deep_nets_fit_the_stack():
    top = data()
    for _ in range(5000):
        top = L.ReLU(top)
    assert top.to_proto().layer[-1].name == "ReLU5000"


def test_a_layer_is_written_once():
    top = data()
    both = L.Eltwise(L.ReLU(top), L.TanH(top))
    assert [layer.type for layer in both.to_proto().layer] == ["Input", "ReLU", "TanH", "Eltwise"]


def test_unknown_tops():
    n = NetSpec()
    n.conv1 = data()
    assert not hasattr(n, "conv2")
    with pytest.raises(KeyError, match="did you mean 'conv1'"):
        n["conv2"]
    with pytest.raises(TypeError, match="ReLU input 0 is not a Top"):
        L.ReLU("conv1")
    assert list(pickle.loads(pickle.dumps(NetSpec())).tops) == []


@pytest.mark.parametrize("fields, words", [
    (dict(kernal_size=3), "'Convolution1'.*did you mean 'kernel_size'"),
    (dict(weight_filler=dict(typ="xavier")), "did you mean 'type'"),
    (dict(kernel_size="wide"), "kernel_size: .*'wide'"),
    (dict(param=1), "written as a dict"),
    (dict(engine="FAST"), "ConvolutionParameter.engine"),
])
def test_what_cannot_be_written(fields, words):
    with pytest.raises(ParseError, match=words):
        L.Convolution(data(), **fields).to_proto()


def test_params_are_enum_values_and_defaults():
    assert (P.Pooling.MAX, P.Data.LMDB, P.Eltwise.SUM, P.LRN.local_size, P.ReLU.negative_slope) == (0, 1, 1, 5, 0.0)
    with pytest.raises(AttributeError, match="did you mean 'MAX'"):
        P.Pooling.MAXX  # noqa: B018
    with pytest.raises(AttributeError, match="params has no 'Poling'; .*did you mean 'PoolingParameter'"):
        P.Poling.MAX  # noqa: B018
    assert not hasattr(P.Nothing, "MIN")


@pytest.mark.parametrize("value, words", [
    (3, "NetSpec.x: expected a Top, got 3; layers.… gives one"), (None, "got None"), ("data", "got 'data'"),
    (L.DummyData(ntop=2), "NetSpec.x: expected a Top, got 2 of them; write n.a, n.b = … for a layer with several")])
def test_what_is_no_top(value, words):
    n = NetSpec()
    for error in (TypeError, NetError):
        with pytest.raises(error, match=words):
            n.x = value
    assert not n.tops


def test_names_are_given_by_methods(monkeypatch):
    top, silent = data(), L.Silence(data(), ntop=0)
    names, numbers = {}, Counter()
    assert top.fn._get_top_name(top, names, numbers) == top.fn._get_name(names, numbers) == "Input1"
    assert silent._get_name(names, numbers) == silent._get_name(names, numbers) == "Silence1"
    monkeypatch.setattr(Function, "_get_name", lambda self, names, autonames: f"my_{self.type_name}")
    assert [layer.name for layer in data().to_proto().layer] == ["my_Input"]
