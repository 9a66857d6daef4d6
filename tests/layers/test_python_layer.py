"""The Python layer, with classes of a user in a module of the user's."""

from __future__ import annotations

import sys
import traceback

import numpy as np
import pytest

from blobnet.check import check_layer, check_net
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError
from blobnet.proto.text import parse
from blobnet.solvers import get_solver

MODULE = '''
import numpy as np
import blobnet
from blobnet.proto.messages import new


class Ten:
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = 10 * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = 10 * top[0].diff


class Euclidean:
    """As in pycaffe's example of a loss."""

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception("two inputs")

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise Exception("inputs of one size")
        self.diff = np.zeros_like(bottom[0].data, dtype=np.float32)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = np.sum(self.diff ** 2) / bottom[0].num / 2.

    def backward(self, top, propagate_down, bottom):
        for i in range(2):
            if not propagate_down[i]:
                continue
            sign = 1 if i == 0 else -1
            bottom[i].diff[...] = sign * self.diff / bottom[i].num


class Line:
    """Points of a line, in a batch that param_str names; continues where a run left off."""

    def setup(self, bottom, top):
        self.size = int(self.param_str)
        self.batch = 0

    def reshape(self, bottom, top):
        top[0].reshape(self.size, 1)
        top[1].reshape(self.size, 1)

    def forward(self, bottom, top):
        x = np.random.default_rng(self.batch).normal(size=(self.size, 1))
        top[0].data[...] = x
        top[1].data[...] = 3 * x + 1
        self.batch += 1

    def backward(self, top, propagate_down, bottom):
        pass

    def seek(self, step):
        self.batch = step


class Phase:
    def setup(self, bottom, top):
        assert self.name == "it"

    def reshape(self, bottom, top):
        top[0].reshape()

    def forward(self, bottom, top):
        top[0].data[()] = self.phase


class Gain:
    """One learned factor."""

    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        assert self.blobs[0].data[0] == 0
        self.blobs[0].data[0] = 2

    reshape = Ten.reshape

    def forward(self, bottom, top):
        top[0].data[...] = self.blobs[0].data * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        if self.param_propagate_down[0]:
            self.blobs[0].diff[0] += (top[0].diff * bottom[0].data).sum()
        if propagate_down[0]:
            bottom[0].diff[...] = self.blobs[0].data * top[0].diff


class Half(blobnet.Layer):
    num_bottoms = 1

    def setup(self, bottom, top):
        self.add_param((2,), new("FillerParameter", value=5))

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data / 2 + self.random().random((1,))


class Mute:
    setup, reshape, forward = Ten.setup, Ten.reshape, Ten.forward


class Grows:
    """Reshapes its top by itself."""

    def setup(self, bottom, top):
        self.rows = 0

    def reshape(self, bottom, top):
        self.rows += 1
        top[0].reshape(self.rows, 2)

    def forward(self, bottom, top):
        top[0].data[...] = self.rows


class Breaks(Ten):
    def setup(self, bottom, top):
        self.missing_attribute


class Nothing:
    setup = reshape = lambda self, bottom, top: None


def function(): pass
'''


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "users_layers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("users_layers", "broken_module", "noted", "beside"):
        sys.modules.pop(name, None)


def layer(name, bottoms="", tops="y", more="", options=""):
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return (f'layer {{ name: "it" type: "Python" {blobs} {more} python_param {{ module: "users_layers" '
            f'layer: "{name}" {options} }} }}\n')


INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'


def net(text, phase=TRAIN, **options):
    return Net(parse(text, "NetParameter"), phase, random_seed=1, **{"python_layers": True, **options})


def test_forward_backward_and_reshape():
    result = net("force_backward: true " + INPUT + layer("Ten", "x") + layer("Ten", "y", "z").replace('"it"', '"two"'))
    result.forward(x=np.full((2, 3), 8))
    assert (result.blobs["z"].data == 800).all()
    result.blobs["z"].diff[...] = 7
    result.backward()
    assert (result.blobs["x"].diff == 700).all()
    result.forward(x=np.ones((4, 1, 5)))
    assert result.blobs["z"].shape == (4, 1, 5)


@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_phase_and_a_scalar_top(phase):
    assert net(layer("Phase"), phase).forward()["y"] == phase


def test_reshape_runs_before_every_forward():
    result = net(layer("Grows"))
    assert [result.forward()["y"].shape for _ in range(3)] == [(2, 2), (3, 2), (4, 2)]  # once when the net was built


def test_parameters(tmp_path):
    text = INPUT + layer("Gain", "x") + 'layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "l" }'
    result = net(text)
    result.forward(x=np.ones((2, 3)))
    result.clear_param_diffs()
    result.backward()
    assert result.params["it"][0].data.tolist() == [2] and result.params["it"][0].diff.tolist() == [3]
    assert [parameter.lr_mult for parameter in result.parameters] == [1]
    result.save(tmp_path / "w.caffemodel")
    result.params["it"][0].data[0] = -1
    result.copy_from(tmp_path / "w.caffemodel")
    assert result.params["it"][0].data.tolist() == [2]
    frozen = net(text.replace("python_param", "param { lr_mult: 0 } python_param", 1))
    frozen.forward(x=np.ones((2, 3)))
    frozen.backward()
    assert frozen.params["it"][0].diff.tolist() == [0]


def test_a_subclass_of_our_layer():
    text = INPUT + layer("Half", "x")
    first, second = net(text), net(text)
    y = first.forward(x=np.ones((2, 3)))["y"].copy()
    assert first.params["it"][0].data.tolist() == [5, 5]
    np.testing.assert_array_equal(y, second.forward(x=np.ones((2, 3)))["y"])
    assert not np.array_equal(y, first.forward()["y"])  # another step
    with pytest.raises(NetError, match="expected 1 bottom blob, got 0"):
        net(layer("Half"))


def test_in_place():
    result = net(INPUT + layer("Ten", "x", "x"))
    assert (result.forward(x=np.ones((2, 3)))["x"] == 10).all()


SOLVER = '''
layer { name: "line" type: "Python" top: "x" top: "y"
  python_param { module: "users_layers" layer: "Line" param_str: "8" } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "p" inner_product_param { num_output: 1 } }
layer { name: "loss" type: "Python" bottom: "p" bottom: "y" top: "loss" loss_weight: 1
  python_param { module: "users_layers" layer: "Euclidean" } }
'''


def make_solver(folder, text=SOLVER):
    (folder / "net.prototxt").write_text(text)
    (folder / "solver.prototxt").write_text(
        f'net: "{folder}/net.prototxt" base_lr: 0.1 lr_policy: "fixed" momentum: 0.5 random_seed: 1 '
        f'snapshot_prefix: "{folder}/line"')
    return get_solver(folder / "solver.prototxt", python_layers=True)


def test_a_users_data_and_loss_train(tmp_path):
    ours = make_solver(tmp_path)
    ours.step(40)
    weight, bias = (blob.data.item() for blob in ours.net.params["ip"])
    assert abs(weight - 3) < 0.05 and abs(bias - 1) < 0.05
    theirs = make_solver(tmp_path, SOLVER.replace('type: "Python" bottom: "p"', 'type: "EuclideanLoss" bottom: "p"'))
    theirs.step(40)
    np.testing.assert_allclose(theirs.net.params["ip"][0].data, weight, rtol=1e-5)


def test_a_restored_run_seeks_in_the_users_data(tmp_path):
    whole = make_solver(tmp_path)
    whole.step(5)
    _, state = whole.snapshot()
    whole.step(4)
    again = make_solver(tmp_path)
    again.restore(state)
    again.step(4)
    np.testing.assert_array_equal(again.net.params["ip"][0].data, whole.net.params["ip"][0].data)


def test_exceptions_keep_their_traceback():
    with pytest.raises(AttributeError, match="missing_attribute") as caught:
        net(INPUT + layer("Breaks", "x"))
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename.endswith("users_layers.py") and last.name == "setup"


@pytest.mark.parametrize("text, message", [
    (layer("Tenn"), "layer 'it' .Python.: no class 'Tenn' in module 'users_layers' .*; did you mean 'Ten'"),
    (layer("function"), "no class 'function'"), (layer(""), "no layer in python_param"),
    (layer("Nothing"), "class 'Nothing' has no method 'forward'"),
    (layer("Ten").replace("users_layers", "users_layer"), "no module 'users_layer', which should have the "
     "class 'Ten', in '.*' or among the installed packages; give --python-path FOLDER, add its folder to PYTHONPATH"),
    (layer("Ten").replace("users_layers", "users.layers"), "no module 'users.layers'"),
    (layer("Ten").replace("users_layers", ""), "no module in python_param"),
    *((layer("Ten").replace("users_layers", name), f"^layer 'it' .Python.: no module can have the name '{said}'; write")
      for name, said in ((".", "."), ("..", ".."), (".users_layers", ".users_layers"), ("a..b", "a..b"),
                         ("a\\000b", r"a\\x00b")))])
def test_errors(text, message):
    with pytest.raises(NetError, match=message):
        net(text)


@pytest.mark.parametrize("body, says", [
    ("import no_such_library_at_all", "ModuleNotFoundError: No module named 'no_such_library_at_all'"),
    ("import sys; sys.exit('enough')", "SystemExit: enough"), ("1 / 0", "ZeroDivisionError: division by zero"),
    ("def f(:", "SyntaxError: "), ("f = lambda: f()\nf()", "RecursionError: "),
    ("import os, sys; sys.path.remove(os.getcwd()); raise KeyError(1)", "KeyError: 1")])
def test_modules_that_cannot_be_imported(tmp_path, monkeypatch, body, says):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "broken_module.py").write_text(body)
    (tmp_path / "net.prototxt").write_text(layer("Ten").replace("users_layers", "broken_module"))
    path = list(sys.path)
    with pytest.raises(NetError, match=r"net.prototxt:1:\d+: layer 'it' \(Python\): module 'broken_module' cannot be "
                       f"imported: {says}") as caught:
        Net(tmp_path / "net.prototxt", python_layers=True)
    assert type(caught.value.__cause__).__name__ in str(caught.value) and sys.path == path


def test_only_by_choice(tmp_path):
    """A file alone brings no code to run: not its own module, nor any other."""
    (tmp_path / "noted.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close(){MODULE}")
    (tmp_path / "net.prototxt").write_text(layer("Phase").replace("users_layers", "noted"))
    (tmp_path / "solver.prototxt").write_text(f'net: "{tmp_path}/net.prototxt" base_lr: 0.1 lr_policy: "fixed"')
    for build in (lambda: Net(tmp_path / "net.prototxt"), lambda: get_solver(tmp_path / "solver.prototxt"),
                  lambda: check_net(tmp_path / "net.prototxt"), lambda: check_layer(layer("Phase"))):
        with pytest.raises(NetError, match=r"layer 'it' \(Python\): asks for class 'Phase' of the Python module '.*', "
                           "whose code would run; if you trust it, give --python-layers, in Python python_layers=True"):
            build()
    assert not (tmp_path / "ran").exists() and "noted" not in sys.modules
    get_solver(tmp_path / "solver.prototxt", python_layers=True)
    assert (tmp_path / "ran").exists()


def test_no_backward():
    result = net(INPUT + layer("Gain", "x", "g").replace('"it"', '"gain"') + layer("Ten", "g").replace("Ten", "Mute")
                 + 'layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "l" }')
    result.forward(x=np.ones((2, 3)))
    with pytest.raises(NetError, match="layer 'it' .Python.: has no backward"):
        result.backward()


def test_current_folder(tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "beside.py").write_text(MODULE)
    monkeypatch.chdir(other)
    result = net(INPUT + layer("Ten", "x").replace("users_layers", "beside"))
    assert (result.forward(x=np.ones((2, 3)))["y"] == 10).all()
