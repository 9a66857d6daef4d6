"""`blobnet summary` and the figures it prints."""

from pathlib import Path

import pytest

from blobnet.cli import main
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.proto.text import parse
from blobnet.view.summary import layer_rows, summary, totals

DSH = Path(__file__).parent.parent.parent / "prototxt" / "dsh" / "train_test_12.prototxt"
INPUT = 'name: "net" layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 6 dim: 8 dim: 7 } } } '


def build(text, **options):
    return Net(parse(INPUT + text, "NetParameter"), TRAIN, **options)


def table(text):
    """The lines of a printed table, as {layer: words}."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line and not line.startswith(" ")}


def test_the_published_net(capsys):
    """DSH, figure 1: 5x5 convolutions of 32, 32 and 64 filters on 32, 16 and 8 pixels, then 1024 -> 500 -> 12."""
    assert main(["summary", str(DSH), "--shape", "data=10,3,32,32"]) == 0
    output = capsys.readouterr().out
    weights = {"conv1": 32 * 3 * 25, "conv2": 32 * 32 * 25, "conv3": 64 * 32 * 25, "ip2": 500 * 1024, "ip1": 12 * 500}
    outputs = {"conv1": 32, "conv2": 32, "conv3": 64, "ip2": 500, "ip1": 12}
    places = {"conv1": 32 * 32, "conv2": 16 * 16, "conv3": 8 * 8, "ip2": 1, "ip1": 1}
    rows = table(output)
    for name, count in weights.items():
        assert rows[name][-2:] == [f"{count + outputs[name]:,}", f"{10 * places[name] * count:,}"]
    assert rows["conv1"] == ["Convolution", "conv1", "10x32x32x32", "32x3x5x5,", "32", "2,432", "24,576,000"]
    assert rows["ip2"][:5] == ["InnerProduct", "ip2", "10x500", "500x1024,", "500"]
    assert rows["cifar"] == ["Input", "data", "10x3x32x32"] and "label 10\n" in output
    assert rows["loss"] == ["HashingLoss", "loss", "scalar"]
    assert "parameters     597,840 (2.4 MB), 597,840 of them learn\n" in output
    assert sum(weights.values()) + sum(outputs.values()) == 597_840
    operations = sum(10 * places[name] * weights[name] for name in weights)
    assert f"multiply-adds  {operations:,} in a forward pass\n" in output
    # data, label; conv1, then pool1 and norm1; conv2, and so on; relus work in place
    numbers = 3072 + 1 + 32 * (1024 + 3 * 256 + 2 * 64) + 64 * (64 + 16) + 500 + 12
    assert f"activations    {(10 * numbers + 1) * 4 / 1e6:.1f} MB, and as much" in output
    assert output.startswith("DSH_12bits, TEST\n\nlayer ")


@pytest.mark.parametrize("words, shown", [
    (["--phase", "TRAIN"], ["in", "train"]), ([], ["in", "test"]), (["--level", "3"], ["in", "test", "deep"]),
    (["--stage", "a", "--stage", "b"], ["in", "test", "ab"])])
def test_phase_level_and_stage(tmp_path, capsys, words, shown):
    (tmp_path / "net.prototxt").write_text(INPUT + "".join(
        f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "{name}" include {{ {rule} }} }} '
        for name, rule in (("train", "phase: TRAIN"), ("test", "phase: TEST"), ("deep", "min_level: 3"),
                           ("ab", "stage: 'a' stage: 'b'"))))
    assert main(["summary", str(tmp_path / "net.prototxt"), *words]) == 0
    assert [name for name in table(capsys.readouterr().out) if name in ("in", "train", "test", "deep", "ab")] == shown


def test_splits_are_shown_if_asked_for(tmp_path, capsys):
    (tmp_path / "net.prototxt").write_text(
        INPUT + "".join(f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "{name}" }} ' for name in "ab"))
    for words, shown in (([], False), (["--all"], True)):
        main(["summary", str(tmp_path / "net.prototxt"), *words])
        assert ("x_in_0_split  Split" in capsys.readouterr().out) == shown


def test_a_shape_from_the_command_line_from_the_crop_and_from_nowhere(tmp_path, capsys):
    path = tmp_path / "net.prototxt"
    data = ('layer { name: "d" type: "Data" top: "x" top: "l" transform_param { %s } '
            'data_param { source: "no_such_lmdb" batch_size: 5 backend: LMDB } }')
    path.write_text(data % "crop_size: 6 mean_value: [1, 2, 3]")
    assert main(["summary", str(path)]) == 0
    assert "x 5x3x6x6" in capsys.readouterr().out
    path.write_text(data % "")
    assert main(["summary", str(path), "--shape", "x=2,1,9,9"]) == 0
    output = capsys.readouterr().out
    assert "x 2x1x9x9" in output and "l 2\n" in output
    assert main(["summary", str(path)]) == 0
    assert "assumed: x is 5x3x224x224, as nothing tells its shape" in capsys.readouterr().out
    path.write_text(data % "" + 'layer { name: "r" type: "Reshape" bottom: "x" top: "y" '
                    "reshape_param { shape { dim: [11, -1] } } }")
    assert main(["summary", str(path)]) == 1
    assert "so x is taken to be 5x3x224x224: --shape TOP=N,C,H,W says another" in capsys.readouterr().err
    assert main(["summary", str(path), "--shape", "X=2,1,9,9"]) == 1
    assert "did you mean 'x'?" in capsys.readouterr().err


def test_an_unknown_layer_type_is_shown_at_its_place(tmp_path, capsys):
    path = tmp_path / "net.prototxt"
    path.write_text(INPUT + '\nlayer { name: "c" type: "Convolutoin" bottom: "x" top: "c" }')
    assert main(["summary", str(path)]) == 1
    assert f"{path}:2:25: layer 'c': unknown layer type 'Convolutoin'" in capsys.readouterr().err


@pytest.mark.parametrize("layer, expected", [
    ('type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 }', 2 * 4 * 6 * 5 * 6 * 9),
    ('type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 group: 2 }', 2 * 4 * 6 * 5 * 3 * 9),
    ('type: "Convolution" convolution_param { num_output: 4 kernel_h: 1 kernel_w: 7 stride_h: 2 stride_w: 1 }',
     1344),
    ('type: "Convolution" convolution_param { num_output: 4 kernel_size: 3 pad: 2 dilation: 2 bias_term: false }',
     2 * 4 * 8 * 7 * 6 * 9),
    ('type: "InnerProduct" inner_product_param { num_output: 5 }', 2 * 6 * 8 * 7 * 5),
    ('type: "InnerProduct" inner_product_param { num_output: 5 axis: 2 transpose: true }', 2 * 6 * 8 * 7 * 5),
    ('type: "ReLU"', 0),
    ('type: "Pooling" pooling_param { kernel_size: 2 }', 0),
])
def test_multiply_adds(layer, expected):
    """One for each pair of a weight and an input that meet; counted here over outputs, their inputs, kernel places."""
    net = build(f'layer {{ name: "a" bottom: "x" top: "a" {layer} }}')
    assert layer_rows(net)[-1].multiply_adds == totals(net).multiply_adds == expected


def test_several_bottoms_of_one_convolution():
    net = build('''layer { name: "in2" type: "Input" top: "z" input_param { shape { dim: 2 dim: 6 dim: 8 dim: 7 } } }
                   layer { name: "c" type: "Convolution" bottom: "x" bottom: "z" top: "a" top: "b"
                           convolution_param { num_output: 4 kernel_size: 1 } }''')
    assert totals(net).multiply_adds == 2 * (2 * 4 * 8 * 7 * 6)
    assert totals(net).parameters == 4 * 6 + 4


def test_what_is_shared_counts_once():
    net = build("".join(f'''layer {{ name: "{name}" type: "InnerProduct" bottom: "x" top: "{name}"
        param {{ name: "w" }} param {{ lr_mult: 0 }} inner_product_param {{ num_output: 2 }} }} ''' for name in "ab"))
    weight = 2 * 6 * 8 * 7
    assert [row.count for row in layer_rows(net) if row.parameters] == [weight + 2, weight + 2]
    total = totals(net)
    assert (total.parameters, total.learning) == (weight + 4, weight)
    assert total.parameter_bytes == 4 * (weight + 4)


def test_memory_that_tops_share_with_bottoms_counts_once():
    x = 2 * 6 * 8 * 7
    net = build('''layer { name: "r" type: "ReLU" bottom: "x" top: "x" }
                   layer { name: "f" type: "Flatten" bottom: "x" top: "f" }
                   layer { name: "g" type: "ReLU" bottom: "f" top: "f" }
                   layer { name: "s" type: "Power" bottom: "x" top: "s" }''', dtype="float64")
    assert totals(net).activation_bytes == 8 * (x + x)


def test_a_net_without_parameters():
    text = summary(build('layer { name: "s" type: "Silence" bottom: "x" }'))
    assert "parameters     0 (0 B), 0 of them learn" in text and "multiply-adds  0 in" in text
    assert text.splitlines()[2] == "s      Silence"


@pytest.mark.parametrize("layer, more", [
    ('type: "Flatten" top: "a"', 0), ('type: "Slice" top: "a"', 0), ('type: "Split" top: "a" top: "b"', 0),
    ('type: "ReLU" top: "x"', 0), ('type: "ReLU" top: "a"', 1), ('type: "Slice" top: "a" top: "b"', 1)])
def test_each_memory_counts_once(layer, more):
    net = build(f'layer {{ name: "a" bottom: "x" {layer} }}')
    assert totals(net).activation_bytes == (1 + more) * net.blobs["x"].count * 4


def test_fields_without_an_effect_come_last(tmp_path, capsys):
    (tmp_path / "net.prototxt").write_text(INPUT + """
        layer { name: "r" type: "ReLU" bottom: "x" top: "r" relu_param { engine: CAFFE } }
        layer { name: "q" type: "ReLU" bottom: "x" top: "q" relu_param { engine: CUDNN } }
        layer { name: "s" type: "TanH" bottom: "x" top: "s" tanh_param { engine: CUDNN } include { phase: TRAIN } }""")
    assert main(["summary", str(tmp_path / "net.prototxt")]) == 0
    assert capsys.readouterr().out.split("\n\n")[-1].splitlines() == [
        "without an effect here", "layer         field              why",
        "r and 1 more  relu_param.engine  chooses how to compute the same"]
