"""From a definition to layers, blobs and parameters."""

import numpy as np
import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import BlobnetError, DeviceError, NetError, ParseError, ShapeError
from blobnet.proto.files import write_message
from blobnet.proto.text import dump, parse

INPUT = '''name: "net" layer { name: "in" type: "Input" top: "x" top: "label"
           input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } } '''
IP = '''layer { name: "%s" type: "InnerProduct" bottom: "%s" top: "%s" %s
        inner_product_param { num_output: %d weight_filler { type: "xavier" } } } '''
NET = (INPUT + IP % ("ip1", "x", "ip1", "", 5) + 'layer { name: "relu" type: "ReLU" bottom: "ip1" top: "ip1" } '
       + IP % ("ip2", "ip1", "ip2", "", 2)
       + '''layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
            layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy"
                    include { phase: TEST } } ''')


def build(text, phase=TEST, **options):
    return Net(parse(text, "NetParameter"), phase, **options)


def test_names():
    net = build(NET)
    assert [layer.name for layer in net.layers if layer.type != "Split"] == [
        "in", "ip1", "relu", "ip2", "loss", "accuracy"]
    assert net.layer_dict["ip2"] is net.layers[-4]
    assert net.inputs == ["x", "label"] and net.outputs == ["accuracy", "loss"]
    assert list(net.params) == ["ip1", "ip2"]
    assert [blob.shape for blob in net.params["ip1"]] == [(5, 3), (5,)]
    assert {name: net.blobs[name].shape for name in ("x", "label", "ip1", "ip2", "loss")} == {
        "x": (4, 3), "label": (4,), "ip1": (4, 5), "ip2": (4, 2), "loss": ()}
    assert repr(net) == "<Net 'net': 8 layers, 32 parameters on cpu>"


def test_splits_are_inserted():
    net = build(NET)
    assert [layer.name for layer in net.layers if layer.type == "Split"] == ["label_in_1_split", "ip2_ip2_0_split"]
    assert [name for name in net.blobs if "split" in name] == [
        "label_in_1_split_0", "label_in_1_split_1", "ip2_ip2_0_split_0", "ip2_ip2_0_split_1"]


@pytest.mark.parametrize("look, words", [
    (lambda net: net.blobs["ip3"], "no blob 'ip3'; did you mean 'ip2' or 'ip1'"),
    (lambda net: net.params["relu"], "no layer with parameters 'relu'; known: ip1, ip2"),
    (lambda net: net.layer_dict["acuracy"], "no layer 'acuracy'; did you mean 'accuracy'"),
])
def test_names_that_are_missing(look, words):
    with pytest.raises(KeyError, match=words):
        look(build(NET))


def test_in_place_is_one_blob():
    net = build(NET)
    net.forward(x=np.ones((4, 3)), label=np.zeros(4))
    x, weight, bias = np.ones((4, 3)), *(blob.data for blob in net.params["ip1"])
    np.testing.assert_allclose(net.blobs["ip1"].data, np.maximum(x @ weight.T + bias, 0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("phase, rules, names", [
    (TRAIN, {}, ["in", "train"]), (TEST, {}, ["in", "relu"]),
    (TEST, {"level": 2}, ["in", "relu", "deep"]), (TEST, {"stages": ["deploy"]}, ["in", "relu", "serve"]),
    (TEST, {"stages": "deploy"}, ["in", "relu", "serve"]),
])
def test_phase_level_and_stages(phase, rules, names):
    text = INPUT + "".join(f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "{name}" include {{ {rule} }} }} '
                           for name, rule in (("relu", "phase: TEST"), ("train", "phase: TRAIN"),
                                              ("deep", "min_level: 1"), ("serve", "stage: 'deploy'")))
    net = build(text, phase, **rules)
    assert [layer.name for layer in net.layers if layer.type != "Split"] == names
    assert all(layer.phase == net.phase for layer in net.layers)


def test_a_net_is_built_for_testing_unless_told():
    net = Net(parse(NET, "NetParameter"))
    assert net.phase == TEST and "accuracy" in net.layer_dict


def test_a_layers_own_phase_stays():
    net = build(INPUT + 'layer { name: "d" type: "Dropout" bottom: "x" top: "d" phase: TRAIN }')
    assert net.phase == TEST and net.layer_dict["d"].phase == TRAIN


@pytest.mark.parametrize("suffix", ["message", ".prototxt", ".yaml", ".pb"])
def test_sources(tmp_path, suffix):
    message = parse(NET, "NetParameter")
    before = dump(message)
    source = message if suffix == "message" else tmp_path / f"net{suffix}"
    if suffix != "message":
        write_message(source, message)
    net = Net(source, TRAIN, random_seed=4)
    reference = build(NET, TRAIN, random_seed=4)
    assert dump(net.definition) == dump(reference.definition)
    for mine, theirs in zip(net.parameters, reference.parameters, strict=True):
        np.testing.assert_array_equal(mine.blob.data, theirs.blob.data)
    assert dump(message) == before


def test_random_seed():
    def weights(seed):
        return build(NET, random_seed=seed).params["ip1"][0].data.tolist()

    assert weights(4) == weights(4) != weights(5)
    assert weights(None) != weights(None)


def test_dtype():
    net = build(NET, dtype="float64", random_seed=1)
    assert {blob.data.dtype for blob in [*net.blobs.values(), *net.params["ip2"]]} == {np.dtype("float64")}
    single = build(NET, random_seed=1)
    np.testing.assert_allclose(net.params["ip1"][0].data, single.params["ip1"][0].data, rtol=1e-6)


def test_a_loss_without_a_named_top_counts():
    net = build(INPUT + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" }')
    assert net.outputs == []
    net.forward(x=np.zeros((4, 3)), label=np.zeros(4))
    assert net.loss == pytest.approx(np.log(3))


LINE = 'layer { name: "a" type: "%s" bottom: "x" top: "y" }'


@pytest.mark.parametrize("file, text, place", [
    ("net.prototxt", INPUT + "\n\n  " + LINE % "InnerProdcut", "net.prototxt:4:27: layer 'a': "),
    ("net.yaml", "layer:\n- {name: in, type: Input, top: x}\n- name: a\n  type: InnerProdcut\n  bottom: x\n  top: y\n",
     "net.yaml:4:9: layer 'a': "),
])
def test_an_unknown_type_is_shown_at_its_place(tmp_path, monkeypatch, file, text, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(NetError) as error:
        Net(file)
    assert str(error.value).startswith(f"{place}unknown layer type 'InnerProdcut'; did you mean 'InnerProduct'")


def test_a_message_has_the_places_of_its_origin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = INPUT + "\n" + LINE % "Rleu"
    (tmp_path / "net.prototxt").write_text(text)
    with pytest.raises(NetError, match=r"^net.prototxt:3:25: layer 'a': unknown layer type 'Rleu'"):
        build(text, origin="net.prototxt")
    with pytest.raises(NetError, match=r"^layer 'a': unknown layer type 'Rleu'"):
        build(text)


@pytest.mark.parametrize("line, place", [
    (IP % ("a", "xx", "y", "", 5), "3:.*unknown bottom 0, 'xx'"),
    (IP % ("a", "x", "x", "", 5), "3:.*cannot work in place"),
    (IP % ("a", "x", "y", "", 0), "3:.*num_output above 0"),
    (LINE % "ReLU" + (IP % ("b", "x", "z", "", 5)).replace("xavier", "xavir"),
     "3:.*layer 'b' .InnerProduct.: unknown filler 'xavir'; did you mean 'xavier'"),
    ('layer { name: "a" type: "InfogainLoss" bottom: "x" bottom: "label" infogain_loss_param { source: "h" } }',
     "3:25: layer 'a' .InfogainLoss.: h: no such file"),
    ('layer { name: "a" type: "Slice" slice_param { axis: 1 slice_dim: 1 } }', "3:25: layer 'a' .Slice.: both"),
    ('layer { name: "a" type: "ReLU" include { } exclude { } }', "3:25: layer 'a' .ReLU.: both include and exclude"),
])
def test_errors_of_a_layer_show_its_place(tmp_path, line, place):
    (tmp_path / "net.prototxt").write_text(INPUT + "\n" + line)
    with pytest.raises(BlobnetError, match=f"^{tmp_path}/net.prototxt:{place}"):
        Net(tmp_path / "net.prototxt")


@pytest.mark.parametrize("layer, words", [
    ('bottom: "x" top: "y" layer { name: "c"\ntype: "cnv" }', "layer 'c' .cnv.: unknown type 'cnv'"),
    ('bottom: "xx" top: "y" layer { name: "c"\ntype: "conv" }', "layer 'c' .conv.: unknown bottom 'xx'"),
    ('bottom: "xx" top: "y" name: "c"\ntype: CONVOLUTION', "layer 'c' .Convolution.: unknown bottom 0, 'xx'"),
])
def test_errors_of_old_layers_show_their_place(tmp_path, layer, words):
    (tmp_path / "old.prototxt").write_text(f'input: "x" input_dim: [1, 1, 1, 1] layers {{ {layer} }}')
    with pytest.raises(NetError, match=f"^{tmp_path}/old.prototxt:2:7: {words}"):
        Net(tmp_path / "old.prototxt")


WRONG = {
    "no type": ('layer { name: "a" }', NetError, ["layer 'a': no type; add type: "]),
    "a type of other frameworks": (
        'layer { name: "a" type: "BatchNormalization" }', NetError,
        ["unknown layer type 'BatchNormalization'; here it is BatchNorm, followed by Scale; otherwise write it "
         "as a plug-in"]),
    "an old name of a type": ('layer { name: "a" type: "SOFTMAX_LOSS" }', NetError, ["here it is SoftmaxWithLoss"]),
    "a type that is far from all": (
        'layer { name: "a" type: "Maxout" }', NetError,
        ["unknown layer type 'Maxout'; write it as a plug-in (such as examples/02_plugin_layer.py; `blobnet "
         "prototxt copy examples` writes it) and give it to --plugin or blobnet.load_plugin"]),
    "unknown bottom": (
        IP % ("ip1", "x", "ip1", "", 5) + IP % ("ip2", "ip", "ip2", "", 2),
        NetError, ["layer 'ip2' (InnerProduct)", "unknown bottom 0, 'ip'", "did you mean 'ip1'"]),
    "a top that is there already": (
        IP % ("ip1", "x", "y", "", 5) + IP % ("ip2", "x", "y", "", 5),
        NetError, ["layer 'ip2' (InnerProduct)", "top 0, 'y', is made already", "rename it"]),
    "data of two phases": (
        'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 1 } } } '
        'layer { name: "e" type: "DummyData" top: "d" dummy_data_param { shape { dim: 1 } } }',
        NetError, ["layer 'e' (DummyData)", "top 0, 'd', is made already; so it is by layer 'd': if they have the data "
                   "of two phases, give one include { phase: TRAIN } and the other include { phase: TEST }"]),
    "one layer, one top twice": (
        'layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "a" }',
        NetError, ["layer 's' (Slice)", "top 1, 'a', is made already"]),
    "in place on a blob that others read": (
        'layer { name: "r" type: "ReLU" bottom: "x" top: "x" } ' + IP % ("a", "x", "a", "", 2)
        + 'layer { name: "r2" type: "ReLU" bottom: "x" top: "x" }',
        NetError, ["layer 'r2' (ReLU)", "top 0, 'x', is made already", "nobody else reads it"]),
    "in place for a type that cannot": (
        IP % ("ip", "x", "x", "", 3), NetError, ["layer 'ip' (InnerProduct)", "cannot work in place"]),
    "arity": (
        'layer { name: "loss" type: "EuclideanLoss" bottom: "x" }',
        NetError, ["layer 'loss' (EuclideanLoss)", "expected 2 bottom blobs, got 1"]),
    "too many param": (
        IP % ("ip", "x", "ip", "param {} param {} param {}", 3),
        NetError, ["layer 'ip' (InnerProduct)", "at most 2 param", "got 3"]),
    "propagate_down": (
        IP % ("ip", "x", "ip", "propagate_down: [true, false]", 3),
        NetError, ["layer 'ip' (InnerProduct)", "no propagate_down or one a bottom (1), got 2"]),
    "loss_weight": (
        IP % ("ip", "x", "ip", "loss_weight: [1, 2]", 3),
        NetError, ["layer 'ip' (InnerProduct)", "one loss_weight a top (1), or none, got 2"]),
    "shapes": (
        'layer { name: "loss" type: "EuclideanLoss" bottom: "x" bottom: "label" top: "loss" }',
        ShapeError, ["layer 'loss' (EuclideanLoss)", "(4, 3)", "(4,)"]),
}


@pytest.mark.parametrize("text, error, words", WRONG.values(), ids=WRONG)
def test_wrong_nets(text, error, words):
    with pytest.raises(error) as caught:
        build(INPUT + text)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("options, error, words", [
    ({"device": "gpus"}, DeviceError, ["'gpus'", "'cpu', 'gpu' or 'gpu:<number>'"]),
    ({"random_seed": -1}, NetError, ["random_seed", "0 or more", "-1"]),
    *[({"dtype": dtype}, NetError, ["dtype: expected float32 or float64, got " + str(dtype)])
      for dtype in ("int8", "bool", "float16", "complex64", "floaty", None)],
    ({"level": "a"}, NetError, ["level: expected a whole number, got 'a'"]),
    ({"phase": 2}, NetError, ["phase", "0 (TRAIN) or 1 (TEST)", "2"]),
    ({"weights": "no_such.caffemodel"}, BlobnetError, ["no_such.caffemodel", "no such file"]),
])
def test_wrong_options(options, error, words):
    with pytest.raises(error) as caught:
        build(INPUT, **options)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_file_that_is_no_net(tmp_path):
    (tmp_path / "solver.prototxt").write_text('net: "net.prototxt"')
    with pytest.raises(ParseError, match=r"solver.prototxt:1:1: NetParameter has no field 'net'"):
        Net(tmp_path / "solver.prototxt")
