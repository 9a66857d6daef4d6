"""`blobnet convert` between prototxt, YAML and binary."""

from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.core.net import Net
from blobnet.proto.files import read_message
from blobnet.proto.text import dump, parse

DSH = Path(__file__).parent.parent.parent / "prototxt" / "dsh"
OLD_NET = '''name: "old" input: "x" input_dim: 2 input_dim: 3 input_dim: 4 input_dim: 4
layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" blobs_lr: 1 blobs_lr: 2
         convolution_param { num_output: 2 kernel_size: 3 } }'''


def convert(*words):
    return main(["convert", *map(str, words)])


@pytest.mark.parametrize("source, name", [
    (DSH / "train_test_12.prototxt", "NetParameter"), (DSH / "solver_12.prototxt", "SolverParameter")])
@pytest.mark.parametrize("suffixes", [[".yaml"], [".yaml", ".pt"], [".pb"], [".pb", ".yml", ".prototxt"]])
def test_round_trip(tmp_path, capsys, source, name, suffixes):
    path = source
    for suffix in [*suffixes, ".prototxt"]:
        target = tmp_path / f"copy{len(list(tmp_path.iterdir()))}{suffix}"
        assert convert(path, target, *["--message", name] * (path.suffix == ".pb")) == 0
        assert capsys.readouterr().out == f"{target}: {name} from {path}\n"
        path = target
    assert path.read_text("utf-8") == dump(read_message(source, name))


def test_weights_keep_every_bit(tmp_path):
    net = Net(parse('''layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
                       layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
                               inner_product_param { num_output: 50 weight_filler { type: "gaussian" } } }''',
                    "NetParameter"))
    net.save(tmp_path / "net.caffemodel")
    weight = net.params["ip"][0].data.copy()
    for source, target in (("net.caffemodel", "net.yaml"), ("net.yaml", "net.prototxt"),
                           ("net.prototxt", "back.caffemodel")):
        assert convert(tmp_path / source, tmp_path / target) == 0
    for file in ("net.yaml", "net.prototxt", "back.caffemodel"):
        net.params["ip"][0].data.fill(0)
        net.copy_from(tmp_path / file)
        np.testing.assert_array_equal(net.params["ip"][0].data, weight)


def test_upgrade(tmp_path, capsys):
    old, new, again = tmp_path / "old.prototxt", tmp_path / "new.prototxt", tmp_path / "again.yaml"
    old.write_text(OLD_NET)
    assert convert(old, new, "--upgrade") == 0
    assert capsys.readouterr().out == f"{new}: NetParameter from {old}, upgraded\n"
    net = read_message(new, "NetParameter")
    assert [layer.type for layer in net.layer] == ["Input", "Convolution"] and not net.layers and not net.input
    assert [spec.lr_mult for spec in net.layer[1].param] == [1, 2]
    assert convert(new, again, "--upgrade") == 0
    assert capsys.readouterr().out == f"{again}: NetParameter from {new}, which is up to date\n"


def test_without_upgrade_generations_stay(tmp_path):
    (tmp_path / "old.prototxt").write_text(OLD_NET)
    assert convert(tmp_path / "old.prototxt", tmp_path / "copy.yaml") == 0
    assert read_message(tmp_path / "copy.yaml", "NetParameter") == parse(OLD_NET, "NetParameter")


def test_upgrade_of_a_solver(tmp_path):
    (tmp_path / "old.prototxt").write_text('net: "n.prototxt" base_lr: 0.1 lr_policy: "fixed" solver_type: ADAGRAD')
    assert convert(tmp_path / "old.prototxt", tmp_path / "new.yaml", "--upgrade") == 0
    assert "type: AdaGrad" in (tmp_path / "new.yaml").read_text()


@pytest.mark.parametrize("file, text, words, says", [
    ("net.prototxt", 'name: "n" layer { name: "a" typ: "ReLU" }', [],
     ["net.prototxt:1:29: LayerParameter has no field 'typ'", "did you mean 'type'"]),
    ("solver.yaml", "net: n.prototxt\nbase_lr: 0.1\ngama: 2\n", [],
     ["solver.yaml:3:1: SolverParameter has no field 'gama'", "did you mean 'gamma'"]),
    ("net.prototxt", 'name: "n"', ["--message", "NetParamter"], ["no message 'NetParamter'", "'NetParameter'"]),
    ("mean.prototxt", "shape { dim: 1 } data: 2", ["--message", "BlobProto", "--upgrade"],
     ["a BlobProto has no older generations", "leave --upgrade out"]),
    ("file.pb", "", [], ["cannot tell what this file holds", "--message"]),
])
def test_errors(tmp_path, monkeypatch, capsys, file, text, words, says):
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(text)
    assert convert(file, "out.prototxt", *words) == 1
    error = capsys.readouterr().err
    assert all(word in error for word in says), error
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_a_target_without_a_format(tmp_path, capsys):
    assert convert(DSH / "solver_12.prototxt", tmp_path / "out.json") == 1
    assert "cannot tell a format from this name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_pt_is_a_prototxt_unless_it_is_to_be_pytorch_s(tmp_path, capsys):
    net = Net(parse('layer { name: "p" type: "Parameter" top: "y" parameter_param { shape { dim: [2, 3] } } }',
                    "NetParameter"))
    net.save(tmp_path / "w.caffemodel")
    assert convert(tmp_path / "w.caffemodel", tmp_path / "w.pt") == 0
    assert read_message(tmp_path / "w.pt", "NetParameter").layer[0].type == "Parameter"
    pytest.importorskip("torch", reason="PyTorch is not installed: .pt is not tested")
    net.params["p"][0].data.fill(3)
    net.save(tmp_path / "w.caffemodel")
    assert convert("--to", "torch", tmp_path / "w.caffemodel") == 0
    assert capsys.readouterr().out.endswith(f"{tmp_path}/w.pt: 1 arrays of 1 layers from {tmp_path}/w.caffemodel\n")
    net.params["p"][0].data.fill(0)
    assert net.copy_from(tmp_path / "w.pt") == ["p"]
    assert (net.params["p"][0].data == 3).all()
