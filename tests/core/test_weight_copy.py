"""Copying parameters by layer name, and saving them."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parameter_values import assert_same, values

from blobnet.core.net import Net
from blobnet.errors import BlobnetError, DataError, NetError, ShapeError
from blobnet.proto.binary import read_weights
from blobnet.proto.blobs import blob_array, set_blob
from blobnet.proto.files import write_message
from blobnet.proto.messages import new
from blobnet.proto.text import parse

INPUT = 'name: "net" layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } } '


def ip(name, bottom, outputs, options=""):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" '
            f'inner_product_param {{ num_output: {outputs} {options} '
            'weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } } } ')


NET = INPUT + ip("a", "x", 5) + ip("b", "a", 4)


def build(text=NET, seed=1, **options):
    return Net(parse(text, "NetParameter"), random_seed=seed, **options)


def weights(**layers):
    """A NetParameter with the given arrays in layers of these names; integers stand for arrays of that many numbers."""
    net = new("NetParameter")
    for name, arrays in layers.items():
        layer = net.layer.add(name=name)
        for array in arrays:
            set_blob(layer.blobs.add(), np.asarray(array, "float32"))
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_round_trip(tmp_path, dtype):
    net, other = build(dtype=dtype), build(seed=2, dtype=dtype)
    net.save(tmp_path / "net.caffemodel")
    assert other.copy_from(tmp_path / "net.caffemodel") == ["a", "b"]
    assert_same(values(other), values(net))
    assert [path.name for path in tmp_path.iterdir()] == ["net.caffemodel"]


def test_a_saved_net_holds_its_definition(tmp_path):
    net = build()
    net.save(tmp_path / "net.caffemodel")
    message, _ = read_weights(tmp_path / "net.caffemodel")
    assert message.name == "net" and [layer.name for layer in message.layer] == ["in", "a", "b"]
    assert message.layer[1].inner_product_param.num_output == 5
    assert not net.definition.layer[1].blobs


def test_gradients_are_saved_if_asked_for(tmp_path):
    net = build(NET + 'layer { name: "l" type: "Power" bottom: "b" top: "l" loss_weight: 1 }')
    net.forward(x=np.ones((2, 3)))
    net.backward()
    net.save(tmp_path / "net.caffemodel", diff=True)
    message, arrays = read_weights(tmp_path / "net.caffemodel")
    saved = [blob_array(blob, arrays, "diff") for layer in message.layer for blob in layer.blobs]
    for array, blob in zip(saved, [*net.params["a"], *net.params["b"]], strict=True):
        np.testing.assert_array_equal(array.reshape(blob.shape), blob.diff)
        assert blob.diff.any()


def test_between_precisions(tmp_path):
    single, double = build(), build(seed=2, dtype="float64")
    double.save(tmp_path / "double.caffemodel")
    single.copy_from(tmp_path / "double.caffemodel")
    np.testing.assert_array_equal(single.params["a"][0].data, double.params["a"][0].data.astype("float32"))


@pytest.mark.parametrize("suffix", ["message", ".prototxt", ".yaml", ".caffemodel", ".weights"])
def test_sources(tmp_path, suffix):
    message = weights(b=[np.arange(20).reshape(4, 5), np.ones(4)])
    source = tmp_path / f"file{suffix}"
    if suffix == "message":
        source = message
    else:
        write_message(source.with_suffix(".caffemodel") if suffix == ".weights" else source, message)
    if suffix == ".weights":  # a name that says nothing
        (tmp_path / "file.caffemodel").rename(source)
    net = build()
    assert net.copy_from(source) == ["b"]
    np.testing.assert_array_equal(net.params["b"][0].data, np.arange(20).reshape(4, 5))


def test_weights_of_a_net_one_or_several(tmp_path):
    build(seed=5).save(tmp_path / "a.caffemodel")
    ones = weights(b=[np.ones((4, 5)), np.ones(4)])
    a, both = build(weights=tmp_path / "a.caffemodel"), build(weights=[tmp_path / "a.caffemodel", ones])
    assert_same(values(a), values(build(seed=5)))
    np.testing.assert_array_equal(both.params["a"][0].data, a.params["a"][0].data)
    assert (both.params["b"][0].data == 1).all() and (build(weights=ones).params["b"][0].data == 1).all()


def test_weights_of_another_net(tmp_path):
    write_message(tmp_path / "other.caffemodel", weights(unknown=[np.ones(9)]))
    with pytest.raises(NetError, match="no layer .* in '.*other.caffemodel' has the name of one of net 'net'"):
        build(weights=tmp_path / "other.caffemodel")
    with pytest.raises(NetError, match="no layer with parameters in the weights has the name"):
        build(weights=weights(unknown=[np.ones(9)]))
    Net(parse("layer { name: 'x' type: 'Input' top: 'x' }", "NetParameter"), weights=weights(unknown=[np.ones(9)]))


def test_layers_of_one_side_are_passed_over():
    net, before = build(), values(build())
    given = weights(a=[np.ones((5, 3)), np.ones(5)], unknown=[np.ones(9)], x=[])
    assert net.copy_from(given) == ["a"]
    after = values(net)
    assert (after["a", 0] == 1).all() and (after["a", 1] == 1).all()
    np.testing.assert_array_equal(after["b", 0], before["b", 0])


@pytest.mark.parametrize("given, error, words", [
    (weights(a=[np.ones((5, 3)), np.ones(5)], b=[np.ones((9, 5)), np.ones(4)]), ShapeError,
     ["layer 'b' (InnerProduct)", "number 0", "expected shape (4, 5), got shape (9, 5)", "rename the layer"]),
    (weights(a=[np.ones((5, 3)), np.ones(5)], b=[np.ones((5, 4)), np.ones(4)]), ShapeError,
     ["expected shape (4, 5), got shape (5, 4)"]),
    (weights(a=[np.ones((5, 3)), np.ones(5)], b=[np.ones((4, 5))]), NetError,
     ["layer 'b' (InnerProduct)", "expected 2 blobs, got 1", "rename the layer"]),
    (weights(a=[np.ones((5, 3)), np.ones(5)], b=[]), NetError, ["expected 2 blobs, got 0"]),
], ids=["shape", "same count", "number of blobs", "no blobs"])
def test_what_does_not_fit_changes_nothing(given, error, words):
    net, before = build(), values(build())
    with pytest.raises(error) as caught:
        net.copy_from(given)
    assert all(word in str(caught.value) for word in words), caught.value
    assert_same(values(net), before)


def test_an_error_names_the_file(tmp_path):
    write_message(tmp_path / "old.caffemodel", weights(b=[np.ones((9, 5)), np.ones(4)]))
    with pytest.raises(ShapeError, match=r"copying parameters from '.*old.caffemodel', number 0, expected shape"):
        build().copy_from(tmp_path / "old.caffemodel")
    with pytest.raises(BlobnetError, match="no such file.*did you mean 'old.caffemodel'"):
        build().copy_from(tmp_path / "odl.caffemodel")


def test_a_definition_is_no_file_of_weights(tmp_path):
    write_message(tmp_path / "net.prototxt", weights(a=[], b=[]))
    with pytest.raises(NetError, match="net.prototxt: expected weights, got a net without any; give its .caffemodel"):
        build().copy_from(tmp_path / "net.prototxt")


@pytest.mark.parametrize("name", ["net.onnx", "net.JSON", "net.prototxt"])
def test_weights_are_not_written_as_other_programs_do(tmp_path, name):
    with pytest.raises(DataError, match=f"{name}: weights are not written in this format, expected a name that ends in "
                       ".caffemodel, .h5, .safetensors, .npz or .pt, got "):
        build().save(tmp_path / name)
    assert not [*tmp_path.iterdir()]


def test_a_blob_with_fewer_numbers_than_its_shape():
    given = weights(b=[np.ones((4, 5)), np.ones(4)])
    del given.layer[0].blobs[0].data[-1]
    with pytest.raises(ShapeError, match=r"20 numbers for shape \(4, 5\), got 19"):
        build().copy_from(given)


def test_ones_in_front_are_of_legacy_shapes_only():
    given = weights(b=[np.ones((1, 1, 4, 5)), np.ones(4)])
    with pytest.raises(ShapeError, match=re.escape("expected shape (4, 5), got shape (1, 1, 4, 5)")):
        build().copy_from(given)


@pytest.mark.parametrize("legacy, fits", [
    ((1, 1, 4, 5), True), ((4, 5, 1, 1), False), ((1, 4, 1, 5), False), ((1, 1, 1, 20), False)])
def test_four_legacy_numbers(legacy, fits):
    given = weights(b=[np.ones(20), np.ones(4)])
    for blob, shape in zip(given.layer[0].blobs, (legacy, (1, 1, 1, 4))):
        blob.ClearField("shape")
        blob.num, blob.channels, blob.height, blob.width = shape
    net = build()
    if fits:
        net.copy_from(given)
        assert (net.params["b"][0].data == 1).all() and (net.params["b"][1].data == 1).all()
    else:
        words = re.escape(f"number 0, expected shape (4, 5), got shape {legacy}")
        with pytest.raises(ShapeError, match=words):
            net.copy_from(given)


def test_weights_of_an_old_generation():
    old = parse('''layers { name: "b" type: INNER_PRODUCT blobs { num: 1 channels: 1 height: 4 width: 5 }
                             blobs { num: 1 channels: 1 height: 1 width: 4 } }''', "NetParameter")
    old.layers[0].blobs[0].data.extend(range(20))
    old.layers[0].blobs[1].data.extend(range(4))
    net = build()
    assert net.copy_from(old) == ["b"]
    np.testing.assert_array_equal(net.params["b"][0].data.reshape(-1), range(20))


def test_of_layers_with_one_name_the_first_takes_the_weights():
    net = build(INPUT + ip("a", "x", 5) + ip("a", "a", 5).replace('top: "a"', 'top: "b"'))
    second = net.layers[2].blobs[0].data.copy()
    net.copy_from(weights(a=[np.ones((5, 3)), np.ones(5)]))
    assert (net.layers[1].blobs[0].data == 1).all()
    np.testing.assert_array_equal(net.layers[2].blobs[0].data, second)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_any_stack_of_layers_comes_back(tmp_path_factory, sizes, bias, transpose):
    options = f"bias_term: {bias} transpose: {transpose}".lower()
    text = INPUT + "".join(ip(f"l{i}", f"l{i - 1}" if i else "x", size, options) for i, size in enumerate(sizes))
    path = tmp_path_factory.mktemp("weights") / "net.caffemodel"
    net, other = build(text), build(text, seed=2)
    net.save(path)
    assert other.copy_from(path) == [f"l{i}" for i in range(len(sizes))]
    assert_same(values(other), values(net))


def test_weights_in_the_definition_are_what_parameters_start_from(tmp_path):
    net = build()
    net.save(tmp_path / "net.caffemodel")
    again = Net(tmp_path / "net.caffemodel", random_seed=2)
    assert_same(values(again), values(net))
    assert not any(layer.blobs for layer in again.definition.layer)


@pytest.mark.parametrize("file", ["source.caffemodel", "source.caffemodel.h5"])
def test_what_a_copy_leaves_and_does_not_use(tmp_path, file):
    text = '''layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 1 dim: 2 }} }} }}
        layer {{ name: "one" type: "InnerProduct" bottom: "x" top: "one" inner_product_param {{ num_output: 1 }} }}
        layer {{ name: "{}" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {{ num_output: 1 }} }}'''
    Net(parse(text.format("theirs"), "NetParameter")).save(tmp_path / file)
    copied = Net(parse(text.format("mine"), "NetParameter")).copy_from(tmp_path / file)
    assert (copied, copied.left, copied.unused) == (["one"], ["mine"], ["theirs"])
