"""A net as a list of lines: `blobnet summarize`."""

import pytest

from blobnet.cli import main
from blobnet.proto.text import parse
from blobnet.view.listing import ESCAPE, listing

NET = '''name: "n"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
        convolution_param { num_output: 32 kernel_size: 5 stride: 2 pad: 2 group: 4 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 } }
layer { name: "python" type: "Python" bottom: "pool" top: "p" top: "q" python_param { module: "my" layer: "Layer" } }
layer { name: "loss" type: "EuclideanLoss" bottom: "p" bottom: "lable" top: "loss" loss_weight: 0.3 }
'''


def one(layer):
    """The columns after the arrow, or the parameters, of a net of one layer."""
    return listing(parse(f'layer {{ name: "l" {layer} }}', "NetParameter", "net")).split()


def test_lines(tmp_path, capsys):
    (tmp_path / "net.prototxt").write_text(NET)
    assert main(["summarize", str(tmp_path / "net.prototxt")]) == 0
    assert capsys.readouterr().out == """\
data   Data                                  -> data, label
conv   Convolution   (, x2.0 Dx0.0) data     -> conv        5/2+2 32/4
relu   ReLU                         conv     -> conv
pool   Pooling                      conv     -> pool        3
python my.Layer                     pool     -> p, q
loss   EuclideanLoss                p, lable -> 0.3 * loss
"""


def test_wide_cells_overflow():
    text = listing(parse(NET, "NetParameter", "net"), max_width=6)
    assert text.splitlines()[:2] == ["data  Data              -> data, label",
                                     "conv  Convolution (, x2.0 Dx0.0) data -> conv 5/2+2 32/4"]
    assert text.splitlines()[3] == "pool  Pooling     conv  -> pool  3"


def test_colours():
    text = listing(parse(NET, "NetParameter", "net"), colours=True)
    data, label = "\033[92m", "\033[93m"
    lines = text.splitlines()
    assert f"{data}data\033[0m" in lines[0] and f"{data}data\033[0m" in lines[1]
    assert f"{label}\033[1;4mlabel\033[0m" in lines[0]     # nobody reads it
    assert "\033[41mlable\033[0m" in lines[5]              # nobody makes it
    assert "m\033[1;4mq\033[0m" in lines[4] and "0.3 * \033[1;4mloss" in lines[5]
    assert ESCAPE.sub("", text) == listing(parse(NET, "NetParameter", "net"))


@pytest.mark.parametrize("layer, last", [
    ('type: "Convolution" top: "t" convolution_param { num_output: 8 kernel_size: 1 }', "-> t 1 8"),
    ('type: "Convolution" top: "t" convolution_param { num_output: 8 kernel_h: 1 kernel_w: 7 pad_w: 3 }',
     "-> t 1x7+0x3 8"),
    ('type: "Deconvolution" top: "t" convolution_param { num_output: 8 kernel_size: 4 stride: 2 }', "-> t 4/2 8"),
    ('type: "Convolution" top: "t" convolution_param { num_output: 8 kernel_size: [3, 3, 5] }', "-> t 3x3x5 8"),
    ('type: "Pooling" top: "t" pooling_param { kernel_size: 3 stride: 2 pad: 1 }', "-> t 3/2+1"),
    ('type: "Pooling" top: "t" pooling_param { global_pooling: true }', "-> t global"),
    ('type: "ReLU" top: "t"', "-> t"),
    ('type: "X" top: "t" top: "u" loss_weight: 1', "-> 1.0 * t, u"),
    ('type: "InnerProduct" param { name: "w" lr_mult: 0.1 } param { name: "b" }', "(w x0.1, b) ->"),
    ('type: "InnerProduct" param { lr_mult: 1 } param { decay_mult: 1 }', "l InnerProduct ->"),
])
def test_columns(layer, last):
    assert " ".join(one(layer)).endswith(last)


def test_old_generations_are_listed_too(tmp_path, capsys):
    (tmp_path / "net.prototxt").write_text(
        'input: "x" input_dim: [1, 2, 3, 4] layers { name: "r" type: RELU bottom: "x" top: "r" }')
    assert main(["summarize", "-w", "9", str(tmp_path / "net.prototxt"), "--color", "always"]) == 0
    lines = ESCAPE.sub("", capsys.readouterr().out).splitlines()
    assert [line.split() for line in lines] == [["input", "Input", "->", "x"], ["r", "ReLU", "x", "->", "r"]]


def test_an_empty_net():
    assert listing(parse('name: "n"', "NetParameter", "net")) == ""


@pytest.mark.parametrize("words, status, says", [
    (["nt.prototxt"], 1, "did you mean 'net.prototxt'"), (["net.prototxt", "-w", "0"], 2, "at least 1"),
    (["broken.prototxt"], 1, "broken.prototxt:1:9"), ([], 2, "required: NET.prototxt")])
def test_errors(tmp_path, monkeypatch, capsys, words, status, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "broken.prototxt").write_text("layer { nme: 'a' }")
    try:
        got = main(["summarize", *words])
    except SystemExit as stop:
        got = stop.code
    assert got == status and says in capsys.readouterr().err
