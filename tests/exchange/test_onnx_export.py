"""The export of nets: what the model holds, under which names, and what is said of what is left out."""

import functools

import numpy as np
import onnx
import pytest
from onnx_nets import CLOSE, TOOL, difference, net_of

from blobnet.core.context import TRAIN
from blobnet.errors import BlobnetError, NetError
from blobnet.exchange.onnx import export, exports, left_out, registry, write
from blobnet.plugins import load_plugin

DATA = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } } '
LABEL = 'layer { name: "labels" type: "Input" top: "label" input_param { shape { dim: 2 } } } '
CONV = ('layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 '
        'kernel_size: 3 weight_filler { type: "xavier" } } } ')
RELU = 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" } '
IP = ('layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 '
      'weight_filler { type: "xavier" } } } ')
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" } '
ACCURACY = 'layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" } '
NORM = ('layer { name: "norm" type: "BatchNorm" bottom: "conv" top: "conv" } layer { name: "scale" type: "Scale" '
        'bottom: "conv" top: "conv" scale_param { bias_term: true } } ')


def simple(name, kind, bottom, top, options=""):
    bottoms = " ".join(f'bottom: "{each}"' for each in bottom.split())
    return f'layer {{ name: "{name}" type: "{kind}" {bottoms} top: "{top}" {options} }} '


def names(values):
    return [value.name for value in values]


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_names_and_shapes():
    model = export(net_of(DATA + CONV + RELU + IP))
    assert kinds(model) == ["Conv", "Relu", "Flatten", "Gemm"]
    assert names(model.graph.initializer) == ["conv.weight", "conv.bias", "ip.weight", "ip.bias"]
    assert (names(model.graph.input), names(model.graph.output)) == (["data"], ["ip"])
    assert [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim] == [2, 3, 8, 8]
    assert [node.output[0] for node in model.graph.node][:2] == ["conv/conv", "conv"]
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)
    assert names(model.graph.node) == ["conv", "relu", "ip", "ip_1"]


def test_losses_measures_and_labels_are_left_out():
    net = net_of(DATA + LABEL + CONV + IP + LOSS + ACCURACY)
    model = export(net)
    assert (names(model.graph.input), names(model.graph.output)) == (["data"], ["ip"])
    assert left_out(net) == [("layer 'loss' (SoftmaxWithLoss)", "a loss"),
                             ("layer 'accuracy' (Accuracy)", "a measure, which needs labels")]
    assert difference(net, model) < CLOSE


def test_what_reads_only_labels_or_losses_is_left_out():
    labels = 'layer { name: "labels" type: "Input" top: "all" input_param { shape { dim: 2 dim: 2 } } } ' + (
        'layer { name: "slice" type: "Slice" bottom: "all" top: "label" top: "other" } '
        'layer { name: "silence" type: "Silence" bottom: "other" } ')
    net = net_of(DATA + labels + CONV + IP + LOSS + simple("twice", "Power", "loss", "twice"))
    assert names(export(net).graph.input) == ["data"]
    assert left_out(net)[1] == ("layer 'twice' (Power)", "it reads loss, which is left out")


def test_a_reduction_with_a_loss_weight_is_a_loss():
    net = net_of(DATA + CONV + simple("cost", "Reduction", "conv", "cost", "loss_weight: 0.1"))
    assert names(export(net).graph.output) == ["conv"]


def test_chosen_outputs():
    net = net_of(DATA + CONV + RELU + IP)
    assert names(export(net, ["conv"]).graph.output) == ["conv"]
    assert difference(net, export(net, ["ip", "conv"])) < CLOSE
    with pytest.raises(NetError, match="no blob 'con'; did you mean 'conv'"):
        export(net, ["con"])


def test_nothing_left():
    with pytest.raises(NetError, match="nothing is left to export"):
        export(net_of(DATA + simple("loss", "EuclideanLoss", "data data", "loss")))


def test_in_place_on_the_input_and_a_layer_that_changes_nothing():
    net = net_of(DATA + simple("half", "Power", "data", "data", "power_param { scale: 0.5 }")
                 + simple("drop", "Dropout", "data", "data") + simple("out", "Dropout", "data", "y"))
    model = export(net)
    assert (names(model.graph.input), names(model.graph.output), kinds(model)) == (["data"], ["y"], ["Mul", "Identity"])
    assert difference(net, model) < CLOSE


def test_every_reader_of_a_blob_sees_its_state():
    net = net_of(DATA + CONV + simple("before", "Power", "conv", "before", "power_param { scale: 3 }")
                 + simple("relu", "ReLU", "before", "before") + simple("sum", "Eltwise", "before conv", "sum"))
    assert difference(net) < CLOSE


def test_in_place_on_numbers_that_are_read_later():
    text = (DATA + CONV + simple("flat", "Flatten", "conv", "flat") + simple("relu", "ReLU", "flat", "flat")
            + simple("later", "Power", "conv", "later"))
    with pytest.raises(NetError, match="'relu'.*works in place on 'flat', which shares its numbers with 'conv'"):
        export(net_of(text))


def test_shared_parameters_are_one_initializer():
    options = 'param { name: "w" } param { name: "b" } inner_product_param { num_output: 5 }'
    net = net_of(DATA + "".join(simple(name, "InnerProduct", "data", name, options) for name in "ab"))
    assert names(export(net).graph.initializer) == ["a.weight", "a.bias"]
    assert difference(net) < CLOSE


def test_what_takes_more_than_two_operators_is_a_function():
    net = net_of(DATA + simple("one", "MVN", "data", "one") + simple("two", "MVN", "one", "two")
                 + simple("three", "MVN", "two", "three", "mvn_param { across_channels: true }"))
    model = export(net)
    assert kinds(model) == ["MVN", "MVN", "MVN_2"]
    assert {node.domain for node in model.graph.node} == {"blobnet"}
    assert names(model.functions) == ["MVN", "MVN_2"]
    assert difference(net, model) < CLOSE


def test_all_that_cannot_be_said_is_said_at_once():
    draws = "dropout_param { sample_weights_test: true }"
    with pytest.raises(NetError) as error:
        export(net_of(DATA + simple("a", "Dropout", "data", "a", draws) + simple("b", "Dropout", "a", "b", draws)))
    assert "2 of 2 layers cannot be said in ONNX" in str(error.value)
    assert "layer 'a' (Dropout)" in str(error.value) and "layer 'b' (Dropout)" in str(error.value)


def test_auto_crop():
    up = ('layer { name: "up" type: "Deconvolution" bottom: "conv" top: "up" convolution_param { num_output: 2 '
          'kernel_size: 3 stride: 2 weight_filler { type: "xavier" } } } ')
    half = CONV.replace("kernel_size: 3", "kernel_size: 3 stride: 2 pad: 1")
    net = net_of(DATA + half + up + simple("crop", "AutoCrop", "up data", "crop"))
    assert difference(net) < CLOSE


@pytest.mark.parametrize("before, kind", [(CONV, "Conv"), (CONV.replace("kernel_size", "group: 1 kernel_size"), "Conv"),
                                          (CONV.replace("Convolution", "Deconvolution"), "ConvTranspose")])
@pytest.mark.parametrize("bias", ["", "bias_term: false"])
def test_folded_normalisation(before, kind, bias):
    net = net_of(DATA + before.replace("num_output", f"{bias} num_output") + NORM + RELU)
    model = export(net, fold_batch_norm=True)
    assert kinds(model) == [kind, "Relu"]
    assert kinds(export(net))[1:4] == ["BatchNormalization", "Mul", "Add"]
    assert difference(net, model) < CLOSE


def test_folding_into_groups_and_products():
    net = net_of(DATA.replace("dim: 3", "dim: 4")
                 + CONV.replace("Convolution", "Deconvolution").replace("kernel_size", "group: 2 kernel_size")
                 + NORM + IP + NORM.replace("conv", "ip").replace('name: "', 'name: "ip_'))
    model = export(net, fold_batch_norm=True)
    assert kinds(model) == ["ConvTranspose", "Flatten", "Gemm"]
    assert difference(net, model) < CLOSE


def test_normalisation_is_not_folded_where_others_read_what_is_before():
    norm = NORM.replace('bottom: "conv" top: "conv"', 'bottom: "conv" top: "normed"', 1).replace(
        'bottom: "conv" top: "conv"', 'bottom: "normed" top: "normed"')
    net = net_of(DATA + CONV + norm + simple("sum", "Eltwise", "conv normed", "sum"))
    assert "BatchNormalization" in kinds(export(net, fold_batch_norm=True))
    assert difference(net, fold_batch_norm=True) < CLOSE


SQUEEZE = simple("flat", "Reshape", "conv", "flat", "reshape_param { shape { dim: 0 dim: -1 } }") + (
    'layer { name: "code" type: "InnerProduct" bottom: "flat" top: "code" inner_product_param { num_output: 4 '
    'weight_filler { type: "xavier" } } } ') + (
    simple("block", "BlockSoftmax", "code", "y", "block_param { block_size: 2 }"))


def test_a_batch_of_any_size():
    net = net_of(DATA + CONV + RELU + NORM + SQUEEZE)
    model = export(net, dynamic_batch=True)
    shapes = [[axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
              for value in (*model.graph.input, *model.graph.output)]
    assert shapes == [["batch", 3, 8, 8], ["batch", 4]]
    for rows in (1, 2, 5):
        data = np.random.default_rng(rows).normal(size=(rows, 3, 8, 8)).astype("float32")
        net.blobs["data"].reshape(data.shape)
        assert difference(net, model, {"data": data}) < CLOSE


def test_what_needs_its_size_of_a_batch():
    crop = simple("crop", "Crop", "conv conv", "crop", "crop_param { axis: 0 }")
    fixed = simple("fixed", "Reshape", "conv", "fixed", "reshape_param { shape { dim: 2 dim: 4 dim: 36 } }")
    assert difference(net_of(DATA + CONV + crop)) < CLOSE
    with pytest.raises(NetError, match="batch of any size.*got layer 'crop' .Crop., written for the sizes of this net"):
        export(net_of(DATA + CONV + crop), dynamic_batch=True)
    with pytest.raises(NetError, match="a size that is open.*cannot be larger: layer 'fixed' .Reshape."):
        export(net_of(DATA + CONV + fixed), dynamic_batch=True)


def test_a_shape_with_two_open_sizes():
    centres = 'layer { name: "centres" type: "Input" top: "c" input_param { shape { dim: 2 dim: 192 } } } '
    net = net_of(DATA + centres + simple("far", "InnerDistance", "data c", "y"))
    assert difference(net) < CLOSE
    with pytest.raises(NetError, match="got layer 'far' .InnerDistance., written for the sizes of this net"):
        export(net, dynamic_batch=True)


def test_rows_that_only_a_run_counts():
    marks = 'layer { name: "marks" type: "Input" top: "marks" input_param { shape { dim: 2 } } } '
    net = net_of(DATA + marks + CONV + simple("filter", "Filter", "conv marks", "kept")
                 + SQUEEZE.replace('bottom: "conv"', 'bottom: "kept"'))
    model = export(net)
    assert [axis.dim_param for axis in model.graph.output[0].type.tensor_type.shape.dim][0]
    data = np.random.default_rng(2).normal(size=(2, 3, 8, 8)).astype("float32")
    for chosen in ([1, 1], [0, 1]):
        inputs = {"data": data, "marks": np.float32(chosen)}
        assert TOOL["run_onnx"](model, inputs)["y"].shape == (sum(chosen), 4)
        assert difference(net, model, inputs) < CLOSE


PLUGIN = """
import numpy as np
import blobnet
from blobnet.exchange.onnx import exports

@blobnet.register
class Softsign(blobnet.Layer):
    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data / (1 + np.abs(bottom[0].data))

@blobnet.register
class ReLU(blobnet.Layer):
    in_place = True

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data + 1

@exports("Softsign")
def softsign(layer, part, x):
    return part.add("Softsign", x)
"""


def test_a_layer_of_a_user(tmp_path, monkeypatch):
    from blobnet.core.registry import LAYERS

    monkeypatch.setitem(LAYERS, "ReLU", LAYERS["ReLU"])
    (tmp_path / "own_layers.py").write_text(PLUGIN)
    try:
        load_plugin(tmp_path / "own_layers.py")
        net = net_of(DATA + simple("soft", "Softsign", "data", "y"))
        assert kinds(export(net)) == ["Softsign"]
        assert difference(net) < CLOSE
        with pytest.raises(NetError, match="nothing says what ReLU is in ONNX; a plug-in can"):  # it is not ours
            export(net_of(DATA + CONV + RELU))
    finally:
        del LAYERS["Softsign"]
        registry.EXPORTERS.pop("Softsign", None)


PYTHON = """
class Double:
    def setup(self, bottom, top):
        pass

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = 2 * bottom[0].data

    def onnx(self, part, x):
        return part.add("Add", x, x)
"""


def test_a_layer_in_python(tmp_path, monkeypatch):
    (tmp_path / "doubling.py").write_text(PYTHON)
    monkeypatch.syspath_prepend(tmp_path)
    text = DATA + simple("twice", "Python", "data", "y", 'python_param { module: "doubling" layer: "Double" }')
    net = net_of(text, python_layers=True)
    assert kinds(export(net)) == ["Add"]
    assert difference(net) < CLOSE


def test_the_decorator_takes_several_types(monkeypatch):
    monkeypatch.setattr(registry, "EXPORTERS", known := {})
    monkeypatch.setattr(registry, "_load", lambda: None)
    function = exports("A", "B")(lambda layer, part, x: x)
    assert known == {"A": function, "B": function}


def test_a_function_of_a_user_stands_before_ours(monkeypatch):
    monkeypatch.setattr(registry, "EXPORTERS", known := {})
    monkeypatch.setattr(registry, "_load", functools.cache(lambda: known.update(ReLU=print)))
    function = exports("ReLU")(lambda layer, part, x: x)
    registry._load()
    assert known == {"ReLU": function}


def test_the_states_of_sequences_begin_at_0():
    text = ('layer { name: "in" type: "Input" top: "x" top: "cont" input_param { shape { dim: 3 dim: 2 dim: 4 } '
            'shape { dim: 3 dim: 2 } } } layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h" '
            'recurrent_param { num_output: 5 weight_filler { type: "xavier" } } }')
    net = net_of(text)
    inputs = {"x": np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32"), "cont": np.ones((3, 2), "f")}
    model = export(net)
    assert kinds(model) == ["LSTM"] and difference(net, model, inputs) < CLOSE  # a first forward begins at 0 too
    assert difference(net, model, inputs) > CLOSE


def test_a_net_of_the_other_phase_is_refused():
    from blobnet.core.net import Net
    from blobnet.proto.text import parse

    with pytest.raises(NetError, match="expected a net of the phase TEST on the CPU, got TRAIN, cpu"):
        export(Net(parse(DATA + CONV, "NetParameter"), TRAIN))


def test_files(tmp_path):
    model = export(net_of(DATA + CONV))
    write(model, tmp_path / "net.onnx")
    assert onnx.load(tmp_path / "net.onnx") == model
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_a_model_that_no_file_can_hold(monkeypatch):
    monkeypatch.setattr("blobnet.exchange.onnx.model.LARGEST", 100)
    with pytest.raises(NetError, match="its model is too large for a file of ONNX, expected 100 bytes at most"):
        export(net_of(DATA + CONV))


def test_nets_of_float64_are_written_as_float32():
    text = DATA + CONV + RELU + IP
    assert export(net_of(text, dtype="float64")) == export(net_of(text))


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(BlobnetError, match=r"needs the package onnx .*; pip install 'blobnet\[onnx\]'"):
        export(net_of(DATA + CONV))
