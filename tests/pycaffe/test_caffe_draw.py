"""caffe.draw: our pictures behind pycaffe's names."""

import pytest

from blobnet.errors import BlobnetError
from blobnet.proto.text import parse
from blobnet.pycaffe import draw

NET = parse("""name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 3, 8, 8] } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" param { lr_mult: 0.25 } include { phase: TRAIN }
        convolution_param { num_output: 2 kernel_size: 3 } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 2 } }""",
            "NetParameter")


@pytest.mark.parametrize("ext, first", [("svg", b"<?xml"), ("dot", b"digraph"), ("raw", b"digraph"),
                                        ("png", b"\x89PNG")])
def test_formats(ext, first):
    if ext == "png":
        pytest.importorskip("matplotlib")
    assert draw.draw_net(NET, "LR", ext).startswith(first)


@pytest.mark.parametrize("phase, shown", [(None, True), (0, True), (1, False)])
def test_phases(tmp_path, phase, shown):
    draw.draw_net_to_file(NET, str(tmp_path / "net.svg"), "TB", phase)
    assert ("Convolution" in (tmp_path / "net.svg").read_text("utf-8")) == shown


def test_the_graph_and_learning_rates():
    graph = draw.get_pydot_graph(NET, "LR", display_lrm=True)
    assert "0.25" not in draw.get_pydot_graph(NET, "LR").to_string()
    assert "lr" in graph.to_string()
    assert graph.create(format="svg").startswith(b"<?xml")
    assert [draw.get_layer_lr_mult(layer) for layer in NET.layer[1:]] == [(0.25, 1), (1, 1)]


LABELS = parse("""
layer { name: "d" type: "Data" top: "d" data_param { batch_size: 7 } }
layer { name: "c" type: "Convolution" convolution_param { num_output: 5 kernel_size: 3 pad: 1 } param { lr_mult: 2 } }
layer { name: "p" type: "Pooling" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "f" type: "InnerProduct" inner_product_param { num_output: 4 } }
layer { name: "r" type: "ReLU" }""", "NetParameter").layer


def test_labels_and_colours():
    assert [draw.get_edge_label(layer) for layer in LABELS] == ["Batch 7", "5", '""', "4", '""']
    assert [draw.get_layer_label(layer, "LR", display_lrm=True) for layer in LABELS] == [
        r'"d\n(Data)"', r'"c\n(Convolution)\nkernel size: 3\nstride: 1\npad: 1\nlr mult: 2.0, 1.0"',
        r'"p\n(Pooling AVE)\nkernel size: 2\nstride: 2\npad: 0"', r'"f\n(InnerProduct)\nlr mult: 1.0, 1.0"',
        r'"r\n(ReLU)"']
    assert draw.get_layer_label(LABELS[1], "TB") == '"c (Convolution) kernel size: 3 stride: 1 pad: 1"'
    assert draw.get_pooling_types_dict()[0] == "MAX"
    assert [draw.choose_color_by_layertype(layer.type) for layer in LABELS] == [
        "#6495ED", "#FF5050", "#FF9900", "#CC33FF", "#6495ED"]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: draw.draw_net(NET, "UP"), "rankdir: expected LR or RL or TB or BT, got 'UP'"),
    (lambda: draw.draw_net(NET, "LR", "txtx"), "expected a suffix among .*svg.*, got 'txtx'"),
    (lambda: draw.get_layer_lr_mult(NET.layer[0]), "layer 'data': expected Convolution or .*InnerProduct.*, got Input"),
])
def test_what_cannot_be_drawn(call, words):
    with pytest.raises(BlobnetError, match=words):
        call()
