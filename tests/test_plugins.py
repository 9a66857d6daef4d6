"""Layer types of a user: the example, the commands, and what can go wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.errors import DataError, NetError, ParseError
from blobnet.plugins import load_plugin
from blobnet.proto import messages
from blobnet.proto.text import parse

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "02_plugin_layer.py"
TWICE = '''
from blobnet import Layer, register

@register
class Twice(Layer):
    """Twice its bottom, or `factor` times."""

    schema = "%s"
    options_field = "%s"
    loaded = []

    def reshape(self, bottom, top):
        self.loaded.append(1)
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = %s * bottom[0].data
'''
SCHEMA = ("message TwiceParameter { optional float factor = 1 [default = 2]; } "
          "extend LayerParameter { optional TwiceParameter twice_param = 3001; }")
INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 3 } } } '


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Layer types, schema and modules are afterwards as they were before."""
    monkeypatch.setattr("blobnet.core.registry.LAYERS", dict(LAYERS))
    monkeypatch.setattr("blobnet.proto.messages._extensions", dict(messages._extensions))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("blobnet_plugin_"):
            del sys.modules[name]
    monkeypatch.undo()
    messages._pool.cache_clear()


@pytest.fixture
def plugin(tmp_path):
    """Writes a plug-in file."""
    def write(name="twice.py", schema=SCHEMA, field="twice_param", factor="self.options.factor"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TWICE % (schema, field, factor))
        return tmp_path / name

    return write


def forward(layer):
    """The output of a layer over 1, 2, 3."""
    net = Net(parse(INPUT + layer, "NetParameter"))
    return list(net.forward(x=[1, 2, 3]).values())[0].tolist()


def run(*words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env=environment,
                          cwd=ROOT, timeout=120)


def test_the_example_runs():
    done = run("-W", "error", EXAMPLE)
    assert done.returncode == 0, done.stderr
    assert "squash  ScaledTanH     squashed 32x3" in done.stdout
    before, after = map(float, re.search(r"^loss (\S+) at first, (\S+) after", done.stdout, re.MULTILINE).groups())
    assert after < before / 3
    table = done.stdout[done.stdout.index("worst error"):]
    assert re.search(r"^squash +ScaledTanH .* \d\.\de[-+]\d\d +ok", table, re.MULTILINE) and "FAIL" not in table


def test_the_examples_layer_against_numpy():
    load_plugin(EXAMPLE)
    net = Net(parse(INPUT + '''layer { name: "s" type: "ScaledTanH" bottom: "x" top: "y" loss_weight: 1
                                       scaled_tanh_param { amplitude: 3 steepness: 0.5 } }''' + " force_backward: true",
                    "NetParameter"), dtype="float64")
    x = np.array([-1.0, 0, 4])
    np.testing.assert_allclose(net.forward(x=x)["y"], 3 * np.tanh(x / 2))
    np.testing.assert_allclose(net.backward()["x"], 1.5 / np.cosh(x / 2) ** 2)


def test_options_are_written_like_those_of_any_layer(plugin):
    load_plugin(plugin())
    assert forward('layer { name: "t" type: "Twice" bottom: "x" top: "y" }') == [2, 4, 6]
    assert forward('layer { name: "t" type: "Twice" bottom: "x" top: "y" twice_param { factor: 5 } }') == [5, 10, 15]


def test_the_schema_is_unknown_before(plugin):
    text = 'layer { name: "t" type: "Twice" bottom: "x" top: "y" twice_param { factor: 5 } }'
    with pytest.raises(ParseError, match="no field 'twice_param'"):
        parse(text, "NetParameter")
    load_plugin(plugin())
    parse(text, "NetParameter")


def test_a_net_from_before_the_plug_in_goes_on(plugin, tmp_path):
    net = Net(parse(INPUT + 'layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param '
                    '{ axis: 0 num_output: 2 weight_filler { type: "xavier" } } }', "NetParameter"))
    load_plugin(plugin())
    net.save(tmp_path / "old.caffemodel")
    again = Net(net.definition, weights=tmp_path / "old.caffemodel")
    x = {"x": [1, 2, 3]}
    np.testing.assert_array_equal(again.forward(**x)["a"], net.forward(**x)["a"])


def test_a_file_is_run_once(plugin, monkeypatch, tmp_path):
    path = plugin()
    module = load_plugin(path)
    monkeypatch.chdir(tmp_path)
    assert load_plugin("twice.py") is module is load_plugin(str(path))


def test_a_class_takes_the_place_of_ours(plugin, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(TWICE.replace("class Twice", "class ReLU") % ("", "", "9"))
    relu = 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
    assert forward(relu) == [1, 2, 3]
    load_plugin(path)
    assert forward(relu) == [9, 18, 27]


def test_two_files_of_one_name(plugin):
    """The later one counts, its schema too."""
    load_plugin(plugin())
    load_plugin(plugin("other/twice.py", SCHEMA.replace("= 2]", "= 4]")))
    assert forward('layer { name: "t" type: "Twice" bottom: "x" top: "y" }') == [4, 8, 12]


@pytest.mark.parametrize("old, new, words", [
    ("= 3001", "= 106", ["field 'twice_param' = 106 of LayerParameter collides with 'convolution_param' = 106"]),
    ("twice_param =", "relu_param =", ["collides with 'relu_param'"]),
    ("TwiceParameter", "ReLUParameter", ["message 'ReLUParameter' is defined already"]),
    ("extend LayerParameter", "extend LayerParam", ["unknown message 'LayerParam'", "'LayerParameter'"]),
    ("optional float", "optional flaot", ["unknown type 'flaot'", "'float'"]),
])
def test_collisions(plugin, old, new, words):
    path = plugin(schema=SCHEMA.replace(old, new))
    with pytest.raises(ParseError) as error:
        load_plugin(path)
    for word in ["blobnet_plugin_twice.Twice.schema:1:", *words]:
        assert word in str(error.value)
    assert "Twice" not in LAYERS
    load_plugin(plugin())  # the file can be put right and loaded again
    assert forward('layer { name: "t" type: "Twice" bottom: "x" top: "y" }') == [2, 4, 6]


@pytest.mark.parametrize("name, got", [("no_such.py", "nothing"), (".", "no file")])
def test_missing(tmp_path, name, got):
    with pytest.raises(DataError, match=f"expected a Python file, got {got}"):
        load_plugin(tmp_path / name)


def test_a_plug_in_that_fails_is_not_kept(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import no_such_module")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            load_plugin(path)


def test_without_the_plug_in_the_type_is_unknown():
    with pytest.raises(NetError, match=r"unknown layer type 'Twise'"):
        forward('layer { name: "t" type: "Twise" bottom: "x" top: "y" }')


def test_train_with_the_plug_in(tmp_path):
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{EXAMPLE.with_suffix(".prototxt")}" base_lr: 0.1 lr_policy: "fixed" max_iter: 3 random_seed: 1 '
        f'snapshot_prefix: "{tmp_path / "run"}" solver_mode: CPU')
    done = run("-m", "blobnet", "train", "--solver", tmp_path / "solver.prototxt", "--plugin", EXAMPLE)
    assert done.returncode == 0 and (tmp_path / "run_iter_3.caffemodel").exists(), done.stderr


def test_summary_with_the_plug_in():
    words = "-m", "blobnet", "summary", EXAMPLE.with_suffix(".prototxt")
    done = run(*words, "--plugin", EXAMPLE)
    assert done.returncode == 0 and "ScaledTanH" in done.stdout, done.stderr
    done = run(*words)
    assert done.returncode == 1
    assert "02_plugin_layer.prototxt:13:3: LayerParameter has no field 'scaled_tanh_param'" in done.stderr
