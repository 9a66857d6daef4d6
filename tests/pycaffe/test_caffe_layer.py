"""Layers that a user writes on caffe.Layer."""

from __future__ import annotations

import traceback

import caffe
import numpy as np
import pytest

from blobnet.errors import NetError

MODULE = '''
import json
import caffe
import numpy as np


class Points(caffe.Layer):
    """Batches of a list that the script gives, as the data layers of detectors do."""

    def setup(self, bottom, top):
        self.options = json.loads(self.param_str)
        assert self.param_str_ == self.param_str
        self.names = {"x": 0, "y": 1}
        self.points = None
        for name, index in self.names.items():
            top[index].reshape(1, 2)

    def set_points(self, points):
        self.points, self.at = points, 0

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        size = self.options["batch"]
        rows = [self.points[(self.at + i) % len(self.points)] for i in range(size)]
        self.at += size
        for index, values in enumerate(zip(*rows)):
            values = np.array(values, np.float32)
            top[index].reshape(*values.shape)
            top[index].data[...] = values

    def backward(self, top, propagate_down, bottom):
        pass


class EuclideanLoss(caffe.Layer):
    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception("Need two inputs.")

    def reshape(self, bottom, top):
        self.diff = np.zeros_like(bottom[0].data, dtype=np.float32)
        top[0].reshape(1)

    def forward(self, bottom, top):
        assert isinstance(bottom[0], caffe.Blob) and isinstance(bottom[0].data, np.ndarray)
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = np.sum(self.diff ** 2) / bottom[0].num / 2.

    def backward(self, top, propagate_down, bottom):
        for i, sign in enumerate([1, -1]):
            if propagate_down[i]:
                bottom[i].diff[...] = sign * top[0].diff * self.diff / bottom[i].num


class Gain(caffe.Layer):
    def __init__(self, param, *args):
        super().__init__(param, *args)
        self.made_of = param.type

    def setup(self, bottom, top):
        self.blobs.add_blob(2, 1)
        self.blobs.add_blob(1)
        self.blobs[0].data[...] = 3
        assert len(self.blobs) == 2 and [b.count for b in self.blobs] == [2, 1]

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data * self.blobs[0].data[0] + self.blobs[1].data

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] += (top[0].diff * bottom[0].data).sum()
        self.blobs[1].diff[0] += top[0].diff.sum()
        bottom[0].diff[...] = top[0].diff * self.blobs[0].data[0]


class Breaks(Gain):
    def forward(self, bottom, top):
        self.no_such_attribute


class Own(Gain):
    """Attributes of its own under names that the base class or the net could want."""

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    @property
    def name(self):
        return "its own"

    def setup(self, bottom, top):
        super().setup(bottom, top)
        self.param_str_ = eval(self.param_str)


class Named(Gain):
    def __init__(self, *args):
        super().__init__(*args)
        self.name = "given"

    def param_str_(self):
        return 3


class Method(Gain):
    def name(self):
        return "a method"


class Borrower(caffe.Layer):
    """Its parameters are blobs that are there already."""

    def setup(self, bottom, top):
        self.blobs.append(bottom[1])
        self.blobs.extend([bottom[0], bottom[1]])
        assert self.blobs[0] is bottom[1] and len(self.blobs) == 3
        self.blobs[2] = bottom[0]
        assert self.blobs[1] is self.blobs[2] is bottom[0]
        del self.blobs[1:]
        assert list(self.blobs) == [bottom[1]]

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data * self.blobs[0].data


class Half(caffe.Layer):
    def setup(self, bottom, top):
        pass
'''
LAYER = 'layer {{ name: "{0}" type: "Python" {2} python_param {{ module: "pycaffe_users" layer: "{1}" {3} }} }}\n'
INPUT = 'layer { name: "x" type: "Input" top: "x" top: "y" input_param { shape { dim: 4 dim: 3 } } }\n'
LOSS = LAYER.format("loss", "EuclideanLoss", 'bottom: "p" bottom: "y" top: "loss" loss_weight: 2', "")


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "pycaffe_users.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def make(tmp_path):
    def make(text, phase=caffe.TRAIN):
        (tmp_path / "net.prototxt").write_text(text)
        return caffe.Net(str(tmp_path / "net.prototxt"), phase)
    return make


def test_the_gradient_of_a_users_loss(make):
    """Central differences, as scripts check their layers."""
    net = make("force_backward: true " + INPUT + LAYER.format("gain", "Gain", 'bottom: "x" top: "p"', "") + LOSS)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4, 3))

    def loss(x):
        return 2 * net.forward(x=x, y=y)["loss"][0]

    loss(x)
    net.clear_param_diffs()
    gradient = net.backward()["x"].copy()
    parameter = net.params["gain"][0]
    analytic, old = parameter.diff[0, 0], parameter.data[0, 0]
    for index in np.ndindex(4, 3):
        step = np.zeros_like(x)
        step[index] = 1e-2
        assert gradient[index] == pytest.approx((loss(x + step) - loss(x - step)) / 2e-2, rel=1e-2, abs=1e-3)
    losses = []
    for parameter.data[0] in (old + 1e-2, old - 1e-2):
        losses.append(loss(x))
    assert analytic == pytest.approx((losses[0] - losses[1]) / 2e-2, rel=1e-2)


SOLVED = (LAYER.format("points", "Points", 'top: "x" top: "y"', """param_str: '{"batch": 8}'""")
          + 'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "p" inner_product_param { num_output: 2 } }\n'
          + LOSS.replace("loss_weight: 2", "loss_weight: 1"))


def test_a_users_data_and_loss_train(tmp_path):
    (tmp_path / "net.prototxt").write_text(SOLVED)
    (tmp_path / "solver.prototxt").write_text(f'train_net: "{tmp_path}/net.prototxt" base_lr: 0.3 lr_policy: "fixed" '
                                              f'snapshot_prefix: "{tmp_path}/s"')
    solver = caffe.SGDSolver(str(tmp_path / "solver.prototxt"))
    data = solver.net.layers[0]  # the very object of the user's class
    x = np.random.default_rng(1).normal(size=(40, 2))
    data.set_points([(row, row @ [[1, 2], [0, -1]] + [3, 4]) for row in x])
    solver.step(150)
    assert data.at == 150 * 8
    np.testing.assert_allclose(solver.net.params["ip"][0].data, [[1, 0], [2, -1]], atol=0.05)
    np.testing.assert_allclose(solver.net.params["ip"][1].data, [3, 4], atol=0.05)


def test_parameters(make, tmp_path):
    net = make(INPUT + LAYER.format("gain", "Gain", 'bottom: "x" top: "p"', "")
               + 'layer { name: "s" type: "Silence" bottom: "y" }')
    layer = net.layer_dict["gain"]
    assert layer.type == "Python" and layer.made_of == "Python"
    assert [blob.shape for blob in net.params["gain"]] == [(2, 1), (1,)]
    net.save(str(tmp_path / "w.caffemodel"))
    layer.blobs[0].data[...] = 9
    assert (net.params["gain"][0].data == 9).all()
    net.copy_from(str(tmp_path / "w.caffemodel"))
    assert (layer.blobs[0].data == 3).all()
    with pytest.raises(IndexError):
        layer.blobs[2]


@pytest.mark.parametrize("kind, name", [("Own", "its own"), ("Named", "given"), ("Method", "a method"),
                                        ("Gain", "g")])
def test_attributes_of_the_users_own(make, kind, name):
    net = make(INPUT + LAYER.format("g", kind, 'bottom: "x" top: "p"', "param_str: \'{\"a\": 1}\'"))
    layer = net.layer_dict["g"]
    assert (layer.name() if callable(layer.name) else layer.name) == name
    assert layer.param_str_ == {"a": 1} if kind == "Own" else layer.param_str == '{"a": 1}'
    assert (net.forward()["p"] == 0).all()


def test_a_list_of_parameters_can_be_changed(make):
    net = make(INPUT + LAYER.format("b", "Borrower", 'bottom: "x" bottom: "y" top: "p"', ""))
    x, y = np.random.default_rng(0).random((2, 4, 3), "float32")
    np.testing.assert_array_equal(net.forward(x=x, y=y)["p"], x * y)
    assert net.params["b"][0].core is net.blobs["y"].core
    with pytest.raises(TypeError, match="a parameter is a caffe.Blob, got 3; add_blob"):
        net.params["b"].append(3)


def test_layers_of_blobnet_are_set_up_and_reshaped_again(make):
    net = make('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }'
               'layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 2 '
               'kernel_size: 3 weight_filler { type: "xavier" } } }')
    layer, x, y = net.layers[1], net.blobs["x"], net.blobs["y"]
    weights, before = layer.blobs[0].data.copy(), net.forward(x=np.ones((2, 3, 4, 4)))["y"].copy()
    layer.setup([x], [y])
    assert len(layer.blobs) == len(net.params["c"]) == 2 and (layer.blobs[0].data == weights).all()
    np.testing.assert_array_equal(net.forward()["y"], before)
    x.reshape(1, 3, 6, 5)
    layer.reshape([x], [y])
    assert y.shape == (1, 2, 4, 3)
    assert net.forward()["y"].shape == (1, 2, 4, 3)


def test_exceptions_keep_their_traceback(make):
    net = make(INPUT + LAYER.format("gain", "Breaks", 'bottom: "x" top: "p"', ""))
    with pytest.raises(AttributeError, match="no_such_attribute") as caught:
        net.forward()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename.endswith("pycaffe_users.py") and last.line == "self.no_such_attribute"
    with pytest.raises(Exception, match="Need two inputs"):
        make(INPUT + LAYER.format("loss", "EuclideanLoss", 'bottom: "x" top: "loss"', ""))


def test_a_missing_method(make):
    with pytest.raises(NetError, match="layer 'half' .Python.: class 'Half' has no method 'reshape'"):
        make(INPUT + LAYER.format("half", "Half", 'bottom: "x" top: "p"', ""))


def test_a_module_that_imports_caffe_where_there_is_none(make, monkeypatch, tmp_path):
    (tmp_path / "lonely_users.py").write_text("import caffe\n")
    monkeypatch.setitem(__import__("sys").modules, "caffe", None)
    monkeypatch.delitem(__import__("sys").modules, "pycaffe_users", raising=False)
    with pytest.raises(NetError, match="imports caffe, which is not there; call blobnet.install_as_caffe"):
        make(INPUT + LAYER.format("it", "Any", 'bottom: "x" top: "p"', "").replace("pycaffe_users", "lonely_users"))
