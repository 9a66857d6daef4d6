"""A data layer of a user, in one file: the commands treat it like one of ours, though no table knows its name."""

import re
import sys

import numpy as np
import pytest

from blobnet.check import Case, check_contract
from blobnet.cli import main
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.hashing.codes import Codes
from blobnet.plugins import load_plugin
from blobnet.proto import messages

PLUGIN = '''
from pathlib import Path

import numpy as np

import blobnet
from blobnet.errors import DataError


def read(source):
    """Names, values and labels of a file with a line for every record: name, values | class | shades."""
    path = Path(source)
    if not path.is_file():
        raise DataError(source, "no such file")
    rows = [[part.split() for part in line.split("|")] for line in path.read_text().splitlines()]
    return ([row[0][0] for row in rows], *(np.array([row[0][1:] if i == 0 else row[i] for row in rows], float)
                                           for i in range(3)))


class BarBatches:
    """The batches of a file, by number."""

    def __init__(self, arrays, size):
        self.arrays, self.size = arrays, size

    def shapes(self):
        return [(self.size, *array.shape[1:]) for array in self.arrays]

    def __call__(self, n, reuse=None):
        chosen = np.arange(n * self.size, (n + 1) * self.size) % len(self.arrays[0])
        return tuple(array[chosen] for array in self.arrays)


@blobnet.register
class BarData(blobnet.BatchSource):
    """Values, classes and shades from a text file.

    x[i] = record[(n * N + i) mod R] in forward n, of R records

    Bottoms: none   Tops: x (N, C), classes (N,), shades (N, 2)   Params: none
    Options: source, batch_size N, columns C, if it is to be known without the file
    Paper: none.
    Quirks: none.
    """

    schema = """
        message BarDataParameter {
          optional string source = 1; optional uint32 batch_size = 2 [default = 4]; optional uint32 columns = 3;
        }
        extend LayerParameter { optional BarDataParameter bar_data_param = 2101; }
    """
    options_field = batch_field = source_field = "bar_data_param"
    num_tops = 3
    label_tops = (1, 2)

    @classmethod
    def declared_shapes(cls, layer, batch):
        columns = layer.bar_data_param.columns
        return [(batch, columns) if columns else None, (batch,), (batch, 2)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        source = layer.bar_data_param.source
        return (batch, read(source)[1].shape[1]) if top == 0 and Path(source).is_file() else None

    @classmethod
    def count_records(cls, layer):
        return len(read(layer.bar_data_param.source)[0])

    def setup(self, bottom, top):
        names, values, classes, shades = read(self.source("bar_data_param"))
        self.records, self.record_names = len(names), names.__iter__
        batches = BarBatches((values, classes[:, 0], shades), self.options.batch_size)
        self.read_ahead(batches, top)
'''
NET = '''name: "bars"
layer {{ name: "bars" type: "BarData" top: "x" top: "class" top: "shades"
        bar_data_param {{ source: "{source}" batch_size: 2 {more} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
        inner_product_param {{ num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "class" top: "loss" }}
layer {{ name: "score" type: "Slice" bottom: "shades" top: "light" top: "dark" }}
layer {{ name: "sum" type: "InnerProduct" bottom: "x" top: "sum"
        inner_product_param {{ num_output: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "shade loss" type: "SigmoidCrossEntropyLoss" bottom: "sum" bottom: "light" top: "shade loss" }}
layer {{ name: "far" type: "EuclideanLoss" bottom: "sum" bottom: "dark" top: "far" }}
'''
RECORDS = [("a", [1, 2, 3, 4], 0, [1, 0]), ("b", [2, 0, 1, 5], 2, [0, 0]), ("c", [0, 1, 0, 1], 1, [1, 1])]


@pytest.fixture(autouse=True)
def plugin(monkeypatch, tmp_path):
    """The plug-in's file. Layer types, schema and modules are afterwards as they were before."""
    monkeypatch.setattr("blobnet.core.registry.LAYERS", dict(LAYERS))
    monkeypatch.setattr("blobnet.proto.messages._extensions", dict(messages._extensions))
    (tmp_path / "bar_data.py").write_text(PLUGIN)
    yield tmp_path / "bar_data.py"
    sys.modules.pop("blobnet_plugin_bar_data", None)
    monkeypatch.undo()
    messages._pool.cache_clear()


def write(path, records):
    path.write_text("".join(f"{name} {' '.join(map(str, values))} | {label} | {' '.join(map(str, shades))}\n"
                            for name, values, label, shades in records))
    return path


@pytest.fixture
def net(tmp_path):
    """The net's file, whose data lies beside it."""
    source = write(tmp_path / "bars.txt", RECORDS)
    (tmp_path / "net.prototxt").write_text(NET.format(source=source, more=""))
    return tmp_path / "net.prototxt"


@pytest.fixture
def call(plugin, capsys):
    """A command with the plug-in, and what it printed."""
    def run(*words):
        assert main([*map(str, words), "--plugin", str(plugin)]) == 0
        return capsys.readouterr().out

    return run


def columns(text, *names):
    """What `summary` prints of these layers, in words."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: row for row in rows if row and row[0] in names}


@pytest.mark.parametrize("data, more, flags, shape", [
    (True, "", [], "2x4"),                      # from the first record
    (False, "columns: 6", [], "2x6"),           # from the options
    (False, "", ["--shape", "x=5,7"], "5x7"),   # as given, with as many labels
    (True, "columns: 6", ["--shape", "x=5,7"], "5x7"),
])
def test_summary(net, call, tmp_path, data, more, flags, shape):
    net.write_text(NET.format(source=tmp_path / ("bars.txt" if data else "nowhere.txt"), more=more))
    text = call("summary", net, *flags)
    rows = shape.split("x")[0]
    assert columns(text, "bars", "class", "shades") == {
        "bars": ["bars", "Input", "x", shape], "class": ["class", rows], "shades": ["shades", f"{rows}x2"]}


def test_a_shape_that_nothing_tells(net, plugin, tmp_path, capsys):
    net.write_text(NET.format(source=tmp_path / "nowhere.txt", more=""))
    assert main(["summary", str(net), "--plugin", str(plugin)]) == 0
    assert "assumed: x is 2x3x224x224, as nothing tells its shape" in capsys.readouterr().out
    assert main(["check", str(net), "--plugin", str(plugin)]) == 1
    assert "layer 'bars' (BarData): no shape of top 'x' without its data; give it: --shape x=N,C,H,W" in (
        capsys.readouterr().err)


def test_check(net, call, monkeypatch):
    """The data layer's own word makes labels of tops that no loss calls so: `dark` is a target."""
    seen = {}

    def forward(self, *arguments, **more):
        seen.update({name: self.blobs[name].data.copy() for name in self.inputs})
        return plain(self, *arguments, **more)

    plain = Net.forward
    monkeypatch.setattr(Net, "forward", forward)
    text = call("check", net)
    assert re.search(r"^ip +InnerProduct .* ok", text, re.MULTILINE) and ", 0 wrong" in text and "FAIL" not in text
    assert set(np.unique(seen["class"])) == set(np.unique(seen["shades"])) == {0, 1}
    assert len(np.unique(seen["x"])) == seen["x"].size


def test_draw_net(net, call, tmp_path):
    call("draw_net", net, tmp_path / "net.dot")
    text = (tmp_path / "net.dot").read_text()
    assert "<b>bars</b><br/>BarData<br/>batch 2" in text
    assert "x 2x4" in text and "shades 2x2" in text
    call("draw_net", net, tmp_path / "net.svg")
    assert "batch 2" in (tmp_path / "net.svg").read_text()


def test_time(net, call, plugin):
    call("time", "--model", net, "--iterations", 2)


@pytest.mark.parametrize("flags, labels", [([], [0, 2, 1]), (["--label", "shades"], [[1, 0], [0, 0], [1, 1]])])
def test_encode(net, call, plugin, tmp_path, flags, labels):
    load_plugin(plugin)
    Net(net, TEST, random_seed=1).save(tmp_path / "w.caffemodel")
    words = ["encode", net, "--weights", tmp_path / "w.caffemodel", "--blob", "ip", *flags,
             "--out", tmp_path / "codes.npz"]
    assert f"3 codes of 3 bits, bit = value >= 0, from {tmp_path}/bars.txt" in call(*words)
    codes = Codes.load(tmp_path / "codes.npz")
    assert codes.labels.tolist() == labels and codes.ids.tolist() == ["a", "b", "c"]

    other = write(tmp_path / "other.txt", RECORDS[::-1] + RECORDS[:1])
    assert f"4 codes of 3 bits, bit = value >= 0, from {other}" in call(*words, "--source", other)
    again = Codes.load(tmp_path / "codes.npz")
    assert again.labels.tolist() == [*labels[::-1], labels[0]] and again.ids.tolist() == ["c", "b", "a", "a"]
    np.testing.assert_array_equal(again.values[:3], codes.values[::-1])


def test_it_keeps_the_contract(net, plugin, tmp_path):
    load_plugin(plugin)
    case = Case(f'layer {{ name: "it" type: "BarData" top: "x" top: "y" top: "z" '
                f'bar_data_param {{ source: "{tmp_path}/bars.txt" }} }}')
    assert check_contract(case) == []


def test_it_feeds_a_training(net, call, tmp_path):
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{net}" base_lr: 0.01 lr_policy: "fixed" max_iter: 3 random_seed: 1 solver_mode: CPU '
        f'snapshot_prefix: "{tmp_path / "run"}"')
    call("train", "--solver", tmp_path / "solver.prototxt")
    trained = Net(net, TRAIN, tmp_path / "run_iter_3.caffemodel")
    assert trained.forward()["loss"].shape == ()
