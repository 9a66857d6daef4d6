"""The nets that a solver file asks for, built and run: sources, states, weights."""

import numpy as np
import pytest

from blobnet.errors import NetError, ShapeError, SolverError
from blobnet.proto.files import read_message
from blobnet.solvers import get_solver

STATES_NET = """
name: "NAME" STATE
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 2 } data_filler { value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
  num_output: 1 weight_filler { type: "gaussian" } } }
layer { name: "train" type: "Power" bottom: "x" top: "a" include { phase: TRAIN } }
layer { name: "test" type: "Power" bottom: "x" top: "b" include { phase: TEST } }
layer { name: "deep" type: "Power" bottom: "x" top: "c" include { min_level: 2 } }
layer { name: "cv" type: "Power" bottom: "x" top: "d" include { stage: "cv" not_stage: "quick" } }
layer { name: "quick" type: "Power" bottom: "x" top: "e" include { stage: "quick" } }
layer { name: "loss" type: "Reduction" bottom: "ip" top: "loss" loss_weight: 1 }
"""
TEST = " test_iter: 1 test_interval: 4 "
INLINE = "net_param { " + STATES_NET.replace("NAME", "inline").replace("STATE", "") + " }"
OTHER = INLINE.replace("net_param", "test_net_param").replace("inline", "other")


@pytest.fixture
def make(make_solver, tmp_path):
    """A solver of the text, and the files a.prototxt, b.prototxt; b has a state of its own."""
    def make(text):
        for name, state in (("a", ""), ("b", 'state { level: 2 stage: "cv" }')):
            (tmp_path / f"{name}.prototxt").write_text(STATES_NET.replace("NAME", name).replace("STATE", state))
        return make_solver(text + " random_seed: 1")

    return make


def shown(net):
    """The net's name, and which of the layers that depend on the state it has."""
    return net.name, *(name for name in ("train", "test", "deep", "cv", "quick") if name in net.layer_dict)


@pytest.mark.parametrize("settings, train, tests", [
    ('net: "a.prototxt"', ("a", "train"), []),
    ('train_net: "a.prototxt"', ("a", "train"), []),
    (INLINE, ("inline", "train"), []),
    (INLINE.replace("net_param", "train_net_param"), ("inline", "train"), []),
    ('net: "a.prototxt"' + TEST, ("a", "train"), [("a", "test")]),
    (INLINE + TEST, ("inline", "train"), [("inline", "test")]),
    ('train_net: "a.prototxt" test_net: "b.prototxt"' + TEST, ("a", "train"), [("b", "test", "deep", "cv")]),
    ('net: "a.prototxt" test_net: "b.prototxt" ' + OTHER + TEST + "test_iter: 1 test_iter: 1", ("a", "train"),
     [("other", "test"), ("b", "test", "deep", "cv"), ("a", "test")]),
    ('net: "a.prototxt" train_state { level: 3 }', ("a", "train", "deep"), []),
    ('net: "a.prototxt" train_state { stage: "cv" }' + TEST, ("a", "train", "cv"), [("a", "test")]),
    ('net: "b.prototxt" train_state { level: 1 stage: "quick" }', ("b", "train", "quick"), []),
    ('net: "a.prototxt" train_state { stage: "quick" } test_state { } test_state { stage: "cv" level: 2 }' + TEST
     + "test_iter: 1", ("a", "train", "quick"), [("a", "test"), ("a", "test", "deep", "cv")]),
])
def test_nets_and_states(make, settings, train, tests):
    solver = make(settings)
    assert shown(solver.net) == train
    assert [shown(net) for net in solver.test_nets] == tests
    solver.step(5)
    for result in solver.test_all():
        assert result["loss"].item() == pytest.approx(solver.net.params["ip"][0].data.sum()
                                                      + solver.net.params["ip"][1].data.sum(), rel=1e-6)


@pytest.mark.parametrize("settings, words", [
    ('net: "a.prototxt" train_net: "b.prototxt"', "train_net and net"),
    ('train_net: "a.prototxt"' + TEST, "expected 0 test_iter"),
    ('net: "a.prototxt" test_iter: 1', "test_interval above 0"),
    ('net: "a.prototxt" test_state { } test_state { }' + TEST, "no test_state or 1"),
])
def test_nets_that_cannot_be(make, settings, words):
    with pytest.raises(SolverError, match=words):
        make(settings)


FINE_NET = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 2 } } }
layer { name: "one" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {
  num_output: 2 weight_filler { value: 0 } } }
layer { name: "two" type: "InnerProduct" bottom: "y" top: "z" inner_product_param {
  num_output: 2 weight_filler { value: 0 } } }
layer { name: "loss" type: "Reduction" bottom: "z" top: "loss" loss_weight: 1 }
"""


@pytest.mark.parametrize("settings, one, two", [
    ("", 0, 0),
    ('weights: "first.caffemodel"', 1, 1),
    ('weights: "second.caffemodel"', 0, 2),
    ('weights: "first.caffemodel" weights: "second.caffemodel"', 1, 2),
    ('weights: "first.caffemodel, second.caffemodel"', 1, 2),
    ('weights: "second.caffemodel,first.caffemodel"', 1, 1),
])
def test_weights_lists(make_solver, settings, one, two):
    """Files are read in order, the later one wins; test nets see the same weights."""
    writer = make_solver("", net=FINE_NET)
    for file, value, names in (("first", 1, "one two"), ("second", 2, "two")):
        for name in names.split():
            writer.net.params[name][0].data[...] = value
        net = writer.net
        if file == "second":
            net = make_solver("", net=FINE_NET.replace('"one"', '"uno"')).net
            net.params["two"][0].data[...] = value
        net.save(f"{file}.caffemodel")
    solver = make_solver(settings + TEST, net=FINE_NET)
    for net in (solver.net, solver.test_nets[0]):
        np.testing.assert_array_equal(net.params["one"][0].data, one)
        np.testing.assert_array_equal(net.params["two"][0].data, two)


def test_errors_of_a_net_show_its_file(make_solver, tmp_path):
    (tmp_path / "bad.prototxt").write_text('name: "bad"\nlayer { name: "l" type: "Convolutoin" top: "y" }')
    with pytest.raises(NetError, match=r"bad.prototxt:2:25: layer 'l': unknown layer type 'Convolutoin'"):
        make_solver('net: "bad.prototxt"')
    with pytest.raises(NetError, match=r"bad.prototxt:2:25"):
        make_solver('train_net: "net.prototxt" test_net: "bad.prototxt" test_iter: 1 test_interval: 1')


@pytest.mark.parametrize("layer, words", [
    ('name: "l"\n type: "Convolutoin" top: "y"', ":2:8: layer 'l': unknown layer type 'Convolutoin'"),
    ('name: "l"\n type: "ReLU" bottom: "xx" top: "y"', r":2:8: layer 'l' .ReLU.: unknown bottom 0, 'xx'"),
])
def test_errors_of_a_net_inside_a_solver_file_show_that_file(make_solver, tmp_path, layer, words):
    with pytest.raises(NetError, match=f"^{tmp_path}/s.prototxt{words}"):
        make_solver(f"net_param {{ layer {{ {layer} }} }}", file="s.prototxt")
    param = read_message(tmp_path / "s.prototxt", "SolverParameter")
    with pytest.raises(NetError, match="^layer 'l'"):
        get_solver(param)
    with pytest.raises(NetError, match=f"^{tmp_path}/s.prototxt{words}"):
        get_solver(param, origin=tmp_path / "s.prototxt")


CHANGING_NET = """
layer { name: "x" type: "Python" top: "x" python_param { module: "changing" layer: "Changing" } }
layer { name: "y" type: "Power" bottom: "x" top: "y" }
"""


def test_outputs_of_changing_shapes(make_solver, tmp_path, monkeypatch):
    """They are added element by element, as in Caffe; another number of elements is an error."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "changing.py").write_text("""
class Changing:
    def setup(self, bottom, top):
        self.shapes = [(1, 2, 3), (1, 3, 2), (4,)]
    def reshape(self, bottom, top):
        top[0].reshape(*self.shapes[0])
    def forward(self, bottom, top):
        top[0].data[...] = 1
        self.shapes.append(self.shapes.pop(0))
""")
    (tmp_path / "test.prototxt").write_text(CHANGING_NET)
    settings = 'train_net: "net.prototxt" test_net: "test.prototxt" test_interval: 10 test_iter: '
    (means,) = make_solver(settings + "2", python_layers=True).test_all()
    assert means["y"].shape == (1, 2, 3) and (means["y"] == 1).all()
    with pytest.raises(ShapeError, match=r"output 'y'.*\(1, 2, 3\), got \(4,\)"):
        make_solver(settings + "3", python_layers=True).test_all()
