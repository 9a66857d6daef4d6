"""Weights in files of named arrays: safetensors, .npz and PyTorch's."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parameter_values import assert_same, values

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.weights_convert import convert_weights
from blobnet.core.weights_named import by_layer, in_order, name_parameters, read_parameters
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.blobs import blob_array, blob_shape
from blobnet.proto.files import write_message
from blobnet.proto.messages import new
from blobnet.proto.named_arrays import read_named, write_named
from blobnet.proto.text import parse

NET = """layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [2, 3, 5, 5] } } }
layer { name: "a.b/c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 4 kernel_size: 3
  weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "s" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }
layer { name: "ip" type: "InnerProduct" bottom: "c" top: "y" inner_product_param { num_output: 2
  weight_filler { type: "gaussian" } } }"""
NAMES = ["a.b/c.weight", "a.b/c.bias", "bn.mean", "bn.variance", "bn.factor", "s.weight", "s.bias", "ip.weight",
         "ip.bias"]
OLD = """layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" convolution_param { num_output: 1 kernel_size: 2 }
  blobs { num: 1 channels: 1 height: 2 width: 2 data: [1, 2, 3, 4] }
  blobs { num: 1 channels: 1 height: 1 width: 1 data: 5 } }
layers { name: "fc" type: INNER_PRODUCT bottom: "c" top: "fc" inner_product_param { num_output: 1 }
  blobs { num: 1 channels: 1 height: 1 width: 4 data: [1, 2, 3, 4] }
  blobs { num: 1 channels: 1 height: 1 width: 1 data: 7 } }"""
IP = 'layer { name: "%s" type: "InnerProduct" bottom: "%s" top: "%s" %s inner_product_param { num_output: 3 ' \
     'weight_filler { type: "gaussian" } } } '
INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [2, 3] } } } '
TIED = INPUT + "".join(IP % (name, bottom, name, 'param { name: "w" } param { name: "b" }')
                       for name, bottom in (("a", "x"), ("b", "a")))


def build(text=NET, seed=1, **options):
    return Net(parse(text, "NetParameter"), TRAIN, random_seed=seed, **options)


@pytest.fixture(params=[".npz", ".safetensors", ".pt", ".pth"])
def path(request, tmp_path):
    if request.param.startswith(".pt"):
        pytest.importorskip("torch", reason="PyTorch is not installed: .pt is not tested")
    return tmp_path / f"w{request.param}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back(path, dtype):
    net, other = build(dtype=dtype), build(seed=2, dtype=dtype)
    net.save(path)
    assert sorted(read_named(path)) == sorted(NAMES)
    assert read_named(path)["bn.factor"].dtype == dtype
    copied = other.copy_from(path)
    assert (copied, copied.lines()) == (["a.b/c", "bn", "s", "ip"], [])
    assert_same(values(other), values(net))


def test_a_module_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: .pt is not tested")
    model = torch.nn.Module()
    model.conv, model.act = torch.nn.Conv2d(3, 4, 3, groups=1, stride=2), torch.nn.PReLU(4)
    model.up, model.fc = torch.nn.ConvTranspose2d(4, 4, 2, groups=2), torch.nn.Linear(36, 5)
    torch.save(model.state_dict(), tmp_path / "w.pt")
    net = build("""layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [2, 3, 5, 5] } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "c" convolution_param {
  num_output: 4 kernel_size: 3 stride: 2 } }
layer { name: "act" type: "PReLU" bottom: "c" top: "c" }
layer { name: "up" type: "Deconvolution" bottom: "c" top: "u" convolution_param {
  num_output: 4 kernel_size: 2 group: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "u" top: "y" inner_product_param { num_output: 5 } }""")
    assert net.copy_from(tmp_path / "w.pt") == ["conv", "act", "up", "fc"]
    x = torch.randn(2, 3, 5, 5)
    with torch.no_grad():
        expected = model.fc(model.up(model.act(model.conv(x))).flatten(1))
    np.testing.assert_allclose(net.forward(x=x.numpy())["y"], expected.numpy(), rtol=1e-4, atol=1e-5)


def test_numbers_stand_for_names(tmp_path):
    write_named(tmp_path / "w.npz", {"ip.1": np.ones(2), "ip.0": np.full((2, 36), 3), "q.r.s": np.ones(1)})
    net = build()
    copied = net.copy_from(tmp_path / "w.npz")
    assert (copied, copied.left, copied.unused) == (["ip"], ["a.b/c", "bn", "s"], ["q.r"])
    assert (net.params["ip"][0].data == 3).all() and (net.params["ip"][1].data == 1).all()


@pytest.mark.parametrize("arrays, error, words", [
    ({"ip.weight": np.ones((2, 9)), "ip.bias": np.ones(2)}, ShapeError,
     "w.npz', number 0, expected shape (2, 36), got shape (2, 9); rename the layer"),
    ({"ip.weight": np.ones((2, 36))}, NetError, "w.npz', expected 2 blobs, got 1"),
    ({"ip.bias": np.ones(2)}, NetError, "w.npz', expected arrays called weight, bias, got bias"),
    ({"bn.weight": np.ones(4), "bn.bias": np.ones(4), "bn.running_mean": np.ones(4)}, NetError,
     "layer 'bn' (BatchNorm): copying parameters from"),
    ({"ip.weight": np.ones((2, 36)), "ip.bias": np.ones(2), "ip.gamma": np.ones(2)}, NetError,
     "expected arrays called weight, bias, 2, got bias, gamma, weight"),
    ({"in.weight": np.ones(1)}, NetError, "layer 'in' (Input): "),
    ({"ip.weight": np.ones((1, 1, 2, 36)), "ip.bias": np.ones(2)}, ShapeError, "got shape (1, 1, 2, 36)"),
])
def test_what_does_not_fit_changes_nothing(tmp_path, arrays, error, words):
    net = build()
    before = values(net)
    write_named(tmp_path / "w.npz", {"s.weight": np.ones(4), "s.bias": np.ones(4), **arrays})
    with pytest.raises(error, match=re.escape(words)):
        net.copy_from(tmp_path / "w.npz")
    assert_same(values(net), before)


def test_weights_of_another_net(tmp_path):
    write_named(tmp_path / "w.npz", {"other.weight": np.ones(3)})
    with pytest.raises(NetError, match="no layer with parameters in .*w.npz' has the name of one of net"):
        build(weights=str(tmp_path / "w.npz"))


def test_shared_parameters_stand_with_every_layer(tmp_path):
    net, other = build(TIED), build(TIED, seed=2)
    net.save(tmp_path / "w.npz")
    assert sorted(read_named(tmp_path / "w.npz")) == ["a.bias", "a.weight", "b.bias", "b.weight"]
    assert other.copy_from(tmp_path / "w.npz") == ["a", "b"]
    assert_same(values(other), values(net))


def test_layers_of_one_name(tmp_path):
    net = build(INPUT + IP % ("a", "x", "y", "") + IP % ("a", "y", "z", ""))
    with pytest.raises(NetError, match=r"w.npz: cannot hold layer 'a' \(InnerProduct\): another layer has this name"):
        net.save(tmp_path / "w.npz")
    assert not [*tmp_path.iterdir()]
    write_named(tmp_path / "w.npz", {"a.weight": np.ones((3, 3)), "a.bias": np.ones(3)})
    net.copy_from(tmp_path / "w.npz")
    assert (net.layers[1].blobs[0].data == 1).all() and not (net.layers[2].blobs[0].data == 1).any()


def test_no_gradients(tmp_path):
    with pytest.raises(DataError, match="w.npz: no gradients are written in this format; write a .caffemodel or .h5"):
        build().save(tmp_path / "w.npz", diff=True)


NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(layers=st.dictionaries(NAME, st.tuples(st.sampled_from(["InnerProduct", "BatchNorm", "LSTM", "Unknown", ""]),
                                              st.integers(0, 5)), max_size=5), seed=st.integers(0, 9))
def test_names_lead_back_to_the_blobs(layers, seed):
    """Whatever layers are called, whatever order the file has, known types and unknown ones."""
    params = [new("LayerParameter", name=name, type=kind) for name, (kind, _) in layers.items()]
    blobs = {name: [np.full((i + 1,), i + 10 * n, np.float32) for i in range(count)]
             for n, (name, (_, count)) in enumerate(layers.items())}
    named = name_parameters(zip(params, blobs.values()), "the file")
    assert len(named) == sum(map(len, blobs.values()))
    mixed = {name: named[name] for name in np.random.default_rng(seed).permutation(sorted(named)).tolist()}
    message, arrays = read_parameters(mixed, params, "the file")
    assert [layer.name for layer in message.layer] == [name for name in blobs if blobs[name]]
    for layer in message.layer:
        for blob, expected in zip(layer.blobs, blobs[layer.name], strict=True):
            assert blob_shape(blob) == expected.shape
            np.testing.assert_array_equal(blob_array(blob, arrays), expected)


def test_in_order():
    layer = new("LayerParameter", name="bn", type="BatchNorm")
    mean, variance, factor = np.zeros(3), np.ones(3), np.full(1, 2)
    assert in_order(layer, {"factor": factor, "1": variance, "mean": mean}) == [mean, variance, factor]
    assert in_order(layer, {"mean": mean, "factor": factor}) is None
    assert by_layer({"a.b.c": mean, "d": factor}) == {"a.b": {"c": mean}, "": {"d": factor}}


class TestConvert:
    @pytest.fixture
    def files(self, tmp_path):
        """A net, its definition and its weights in Caffe's formats."""
        net = build()
        write_message(tmp_path / "net.prototxt", parse(NET, "NetParameter"))
        net.save(tmp_path / "w.caffemodel")
        net.save(tmp_path / "w.h5")
        return net

    def test_from_a_caffemodel_and_back(self, files, path):
        assert convert_weights(path.with_suffix(".caffemodel"), path) == ["9 arrays of 4 layers"]
        assert sorted(read_named(path)) == sorted(NAMES)
        back = path.with_name("back.caffemodel")
        assert convert_weights(path, back, path.with_name("net.prototxt")) == ["9 arrays of 4 layers"]
        net = build(seed=2)
        assert net.copy_from(back) == ["a.b/c", "bn", "s", "ip"]
        assert_same(values(net), values(files))
        assert_same(values(Net(back, TRAIN)), values(files))

    def test_hdf5_knows_no_types(self, files, tmp_path):
        convert_weights(tmp_path / "w.h5", tmp_path / "w.npz")
        assert {"bn.0", "bn.1", "bn.2", "a.b/c.0", "ip.1"} < read_named(tmp_path / "w.npz").keys()
        net = build(seed=2)
        net.copy_from(tmp_path / "w.npz")
        assert_same(values(net), values(files))
        convert_weights(tmp_path / "w.h5", tmp_path / "named.npz", tmp_path / "net.prototxt")
        assert sorted(read_named(tmp_path / "named.npz")) == sorted(NAMES)

    def test_shapes_of_the_oldest_files(self, tmp_path):
        write_message(tmp_path / "old.caffemodel", parse(OLD, "NetParameter"))
        convert_weights(tmp_path / "old.caffemodel", tmp_path / "w.npz")
        assert {name: array.shape for name, array in read_named(tmp_path / "w.npz").items()} == {
            "c.weight": (1, 1, 2, 2), "c.bias": (1,), "fc.weight": (1, 4), "fc.bias": (1,)}
        old = parse(OLD.replace("INNER_PRODUCT", "CONCAT"), "NetParameter")
        write_message(tmp_path / "old.caffemodel", old)
        convert_weights(tmp_path / "old.caffemodel", tmp_path / "w.npz")
        assert read_named(tmp_path / "w.npz")["fc.0"].shape == (1, 1, 1, 4)
        assert upgrade_net(old).layer[1].type == "Concat"

    def test_what_the_net_does_not_have_is_named(self, files, tmp_path):
        write_named(tmp_path / "w.npz", {"ip.weight": np.ones((2, 36)), "ip.bias": np.ones(2), "more.x": np.ones(1)})
        for target in ("back.caffemodel", "less.npz"):
            assert convert_weights(tmp_path / "w.npz", tmp_path / target, tmp_path / "net.prototxt") == [
                "2 arrays of 1 layers", "In this file, and not in the net: more"]
        assert sorted(read_named(tmp_path / "less.npz")) == ["ip.bias", "ip.weight"]
        with pytest.raises(NetError, match=r"layer 'a.b/c' \(Convolution\).*expected 2 blobs, got 0"):
            build().copy_from(tmp_path / "back.caffemodel")

    @pytest.mark.parametrize("words, error, message", [
        (("w.npz", "back.caffemodel"), DataError, "back.caffemodel: such a file holds the net too; give it, as --net"),
        (("w.npz", "back.h5", "net.prototxt"), DataError, "back.h5: expected a name that ends in .caffemodel, .safe"),
        (("net.prototxt", "out.npz"), DataError, "net.prototxt: expected weights, got a file without any"),
        (("wrong.npz", "out.npz", "net.prototxt"), NetError, "expected arrays called weight, bias, got gamma"),
        (("no.caffemodel", "out.npz"), DataError, "no.caffemodel: no such file")])
    def test_what_cannot_be(self, files, tmp_path, words, error, message):
        files.save(tmp_path / "w.npz")
        write_named(tmp_path / "wrong.npz", {"ip.gamma": np.ones(1)})
        before = {*tmp_path.iterdir()}
        with pytest.raises(error, match=re.escape(message)):
            convert_weights(*(tmp_path / word for word in words))
        assert {*tmp_path.iterdir()} == before
