"""caffe.Net, by what scripts do with it."""

from __future__ import annotations

from collections import OrderedDict

import caffe
import numpy as np
import pytest

import blobnet
from blobnet.errors import BlobnetError, NetError, ShapeError

NET = '''
name: "small" force_backward: true
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 2 dim: 3 dim: 3 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param {
  num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "a" type: "Softmax" bottom: "fc" top: "prob" }
layer { name: "b" type: "Power" bottom: "fc" top: "double" power_param { scale: 2 } }
'''
FC = NET.replace('"Convolution"', '"InnerProduct"').replace(
    "convolution_param {\n  num_output: 3 kernel_size: 3", "inner_product_param {\n  num_output: 3")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "net.prototxt"
    file.write_text(NET)
    return str(file)


@pytest.fixture
def net(path):
    return caffe.Net(path, caffe.TEST)


def images(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 2, 3, 3)).astype("float32")


def test_names(net):
    split = "fc_fc_0_split"
    assert net._layer_names == ["data", "conv", "relu", "fc", split, "a", "b"] == list(net.layer_dict)
    assert list(net.blobs) == net._blob_names == ["data", "conv", "fc", f"{split}_0", f"{split}_1", "prob", "double"]
    assert net.inputs == ["data"] and net.outputs == ["double", "prob"]
    assert net._inputs == [0] and net._outputs == [6, 5]
    assert net.top_names["relu"] == net.bottom_names["relu"] == ["conv"]
    assert net.bottom_names["data"] == [] and net.bottom_names["b"] == [f"{split}_1"]
    assert net._top_ids(4) == [3, 4] and net._bottom_ids(4) == [2]
    assert list(net.params) == ["conv", "fc"] and [len(blobs) for blobs in net.params.values()] == [2, 2]
    assert [layer.type for layer in net.layers][:3] == ["Input", "Convolution", "ReLU"]
    assert net.layers[3].blobs[0].data is net.params["fc"][0].data
    for mapping in (net.blobs, net.params, net.layer_dict, net.top_names, net.bottom_names, net.blob_loss_weights):
        assert isinstance(mapping, OrderedDict)
    assert isinstance(net.layers[0], caffe.Layer) and len(net._blobs) == 7
    assert [blob.shape for blob in net.params["conv"][:]] == [(3, 2, 3, 3), (3,)]


def test_lists_of_the_net(net):
    kinds = caffe._caffe.StringVec, caffe._caffe.IntVec, caffe._caffe.DtypeVec, caffe._caffe.LayerVec
    lists = net._blob_names, net._top_ids(0), net._blob_loss_weights, net.layers
    assert [type(values) for values in lists] == list(kinds)
    for field in ("top", "bottom"):
        names = caffe.pycaffe._Net_get_id_name(getattr(caffe.Net, f"_{field}_ids"), f"_{field}_names").fget
        assert names(net) == getattr(net, f"{field}_names") and names(net) is getattr(net, f"_{field}_names")


def test_blob_loss_weights(tmp_path):
    (tmp_path / "loss.prototxt").write_text(NET + '''
      layer { name: "l" type: "EuclideanLoss" bottom: "prob" bottom: "double" top: "l" loss_weight: 0.5 }''')
    weights = caffe.Net(str(tmp_path / "loss.prototxt"), caffe.TRAIN).blob_loss_weights
    assert weights["l"] == 0.5 and sum(weights.values()) == 0.5


def test_tops_without_a_name(tmp_path):
    """A loss makes its own top where none is named; there is no output of that name."""
    (tmp_path / "auto.prototxt").write_text('''
      layer { name: "x" type: "Input" top: "x" top: "y" input_param { shape { dim: 2 dim: 3 } } }
      layer { name: "n" type: "EuclideanLoss" bottom: "x" bottom: "y" loss_weight: 3 }
      layer { name: "r" type: "ReLU" bottom: "y" top: "z" }''')
    net = caffe.Net(str(tmp_path / "auto.prototxt"), caffe.TRAIN)
    split = ["y_x_1_split_0", "y_x_1_split_1"]
    assert net._blob_names == list(net.blobs) == ["x", "y", *split, "(automatic)", "z"]
    assert net.top_names["n"] == ["(automatic)"] and net._top_ids(2) == [4] and net._bottom_ids(2) == [0, 2]
    assert net.blob_loss_weights["(automatic)"] == 3 and net._blob_loss_weights == [0, 0, 0, 0, 3, 0]
    assert net.outputs == ["z"] and net._outputs == [5]
    found = net.forward(["(automatic)"], x=np.ones((2, 3)), y=np.zeros((2, 3)))
    assert set(found) == {"z", "(automatic)"} and found["(automatic)"] == 1.5 == net.core.loss / 3


def test_blobs_are_written_through(net):
    blob = net.blobs["data"]
    blob.data[...] = 1
    blob.data[1:2] += 1
    assert net.core.blobs["data"].data.sum() == 5 * 18 and blob.data.dtype == np.float32
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (4, 2, 3, 3, 72)
    with pytest.raises(AttributeError, match="cannot be replaced: write into it"):
        blob.data = np.zeros(3)
    blob.reshape()
    assert blob.data.shape == () and blob.num == 1


def test_constructors(path, net, tmp_path):
    weights = str(tmp_path / "w.caffemodel")
    net.save(weights)
    for again in (caffe.Net(path, weights, caffe.TEST), caffe.Net(path, caffe.TEST, weights=weights),
                  caffe.Net(network_file=path, phase=caffe.TEST, weights=weights, level=0, stages=["x"])):
        np.testing.assert_array_equal(again.params["fc"][0].data, net.params["fc"][0].data)
        assert again.core.phase == caffe.TEST
    with pytest.raises(NetError, match="no phase; write Net"):
        caffe.Net(path, weights)
    for error in (BlobnetError, RuntimeError, OSError):
        with pytest.raises(error, match="nowhere.prototxt: no such file"):
            caffe.Net(str(tmp_path / "nowhere.prototxt"), caffe.TEST)
        with pytest.raises(error, match="nowhere.caffemodel: no such file"):
            caffe.Net(path, caffe.TEST, weights=str(tmp_path / "nowhere.caffemodel"))


def test_weights_as_files(path, net, tmp_path):
    file = str(tmp_path / "weights")  # no extension tells what it is
    net.save_hdf5(file)
    other = caffe.Net(path, caffe.TEST)
    assert not np.array_equal(other.params["fc"][0].data, net.params["fc"][0].data)
    other.load_hdf5(file)
    np.testing.assert_array_equal(other.params["fc"][0].data, net.params["fc"][0].data)
    native = blobnet.Net(path, blobnet.TEST, weights=file)
    np.testing.assert_array_equal(native.params["conv"][0].data, net.params["conv"][0].data)


def test_share_with(path, net):
    other = caffe.Net(path, caffe.TEST)
    other.share_with(net)
    net.params["fc"][1].data[...] = 7
    assert (other.params["fc"][1].data == 7).all()


def test_forward(net):
    x = images(4)
    out = net.forward(data=x, blobs=["conv"])
    assert set(out) == {"prob", "double", "conv"}
    np.testing.assert_allclose(out["prob"].sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(out["double"], 2 * net.blobs["fc"].data)
    assert out["prob"] is net.blobs["prob"].data
    assert set(net.forward(end="relu")) == {"conv"}
    net.blobs["conv"].data[...] = 0
    net.params["fc"][1].data[...] = range(5)
    np.testing.assert_array_equal(net.forward(start="fc", end="fc")["fc"], [range(5)] * 4)
    net.params["fc"][1].data[...] = 3
    assert net._forward(3, 6) == 0 and (net.blobs["double"].data == 6).all()


def test_reshape_and_forward(net):
    net.blobs["data"].reshape(1, 2, 3, 3)
    net.reshape()
    assert net.blobs["prob"].shape == (1, 5)
    assert net.forward(data=images(1))["prob"].shape == (1, 5)


def test_backward(net):
    x, dy = images(4), np.random.default_rng(1).normal(size=(4, 5)).astype("float32")
    net.forward(data=x)
    back = net.backward(double=dy, prob=np.zeros((4, 5)), diffs=["fc"])
    np.testing.assert_allclose(back["fc"], 2 * dy, rtol=1e-6)
    assert set(back) == {"data", "fc"} and back["data"].shape == x.shape and back["data"].any()
    np.testing.assert_allclose(net.params["fc"][1].diff, 2 * dy.sum(0), rtol=1e-5)
    net.clear_param_diffs()
    assert not net.params["fc"][1].diff.any()
    net.blobs["fc"].diff[...] = 1
    conv = net.backward(start="fc", end="fc")["conv"]
    np.testing.assert_allclose(conv.reshape(4, 3), [net.params["fc"][0].data.sum(0)] * 4, rtol=1e-5)
    net._backward(3, 0)
    np.testing.assert_allclose(net.params["fc"][1].diff, 8, rtol=1e-6)  # twice four images


@pytest.mark.parametrize("count", [4, 6, 8, 3])
def test_forward_all(net, count):
    x = images(count)
    out = net.forward_all(data=x, blobs=["conv"])
    net.blobs["data"].reshape(*x.shape)
    alone = net.forward(data=x)
    assert {name: len(array) for name, array in out.items()} == {"prob": count, "double": count, "conv": count}
    np.testing.assert_allclose(out["prob"], alone["prob"], rtol=1e-4)


def test_forward_all_of_outputs_without_a_batch(tmp_path):
    (tmp_path / "flat.prototxt").write_text('''
      layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } }
      layer { name: "flat" type: "Reshape" bottom: "x" top: "flat" reshape_param { shape { dim: -1 } } }
      layer { name: "sum" type: "Reduction" bottom: "x" top: "sum" }''')
    out = caffe.Net(str(tmp_path / "flat.prototxt"), caffe.TEST).forward_all(x=np.ones((6, 3)))
    assert out["flat"].tolist() == [1] * 18 + [0] * 6 and out["sum"].tolist() == [12, 6]  # a sum a batch


def test_batches(net):
    x = images(10)
    first, second, third = net._batch({"data": x, "more": list(x[:, 0])})
    np.testing.assert_array_equal(second["data"], x[4:8])
    np.testing.assert_array_equal(third["data"], np.concatenate([x[8:], 0 * x[:2]]))
    assert first["more"].shape == third["more"].shape == (4, 3, 3)


def test_forward_backward_all(net):
    x, dy = images(6), images(6, seed=2).reshape(6, 18)[:, :5]
    data, diffs = net.forward_backward_all(data=x, double=dy, prob=0 * dy, diffs=["conv"])
    assert len(data["prob"]) == len(diffs["data"]) == len(diffs["conv"]) == 6
    net.blobs["data"].reshape(*x.shape)
    net.forward(data=x)
    np.testing.assert_allclose(diffs["data"], net.backward(double=dy, prob=0 * dy)["data"], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("call, error, message", [
    (lambda net: net.forward(date=images(4)), NetError, r"net 'small': expected the blobs \['data'\], got \['date'\]"),
    (lambda net: net.forward(data=images(3)), ShapeError, r"'data' is not batch sized, expected shape \(4, 2, 3, 3\)"),
    (lambda net: net.forward(data=np.zeros((4, 2, 5, 5))), ShapeError, r"got \(4, 2, 5, 5\); net.blobs"),
    (lambda net: net.forward(data=images(4).transpose(0, 2, 3, 1)), ShapeError, "move the channels to axis 1"),
    (lambda net: net.blobs["bonv"], KeyError, "no blob 'bonv'; did you mean 'conv'"),
    (lambda net: net.params["bonv"], KeyError, "no layer with parameters 'bonv'; did you mean 'conv'"),
    (lambda net: net.layer_dict["bonv"], KeyError, "no layer 'bonv'; did you mean 'conv'"),
    (lambda net: net.forward(blobs=["bonv"]), NetError, "no blob 'bonv'; did you mean 'conv'"),
    (lambda net: net.forward(end="cnv"), ValueError, "no layer 'cnv'; did you mean 'conv'"),
    (lambda net: net.forward(end=30), NetError, "no layer 30, expected a number from 0 to 6"),
    (lambda net: net._forward(0, 100), NetError, "no layer 100, expected a number from 0 to 6"),
    (lambda net: net._backward(7, 0), NetError, "no layer 7, expected a number from 0 to 6"),
    (lambda net: net.backward(prob=np.zeros((4, 5))), NetError, "expected the blobs .*; give all of them"),
    (lambda net: net.forward_all(), ShapeError, "expected inputs of one length, got none"),
    (lambda net: net.forward_backward_all(date=images(4)), NetError, "no input or output 'date'; did you mean 'data'"),
    (lambda net: net.share_with(3), NetError, "net 'small': sharing parameters, expected a caffe.Net, got 3"),
    (lambda net: net.set_input_arrays(images(4), np.zeros(4)), NetError, "begins with a MemoryData layer, got Input"),
])
def test_errors(net, call, error, message):
    with pytest.raises(error, match=message):
        call(net)


def test_net_surgery(tmp_path):
    """The weights of an inner product become those of a convolution that slides over larger images."""
    for name, text in {"fc": FC, "conv": NET}.items():
        (tmp_path / f"{name}.prototxt").write_text(text)
    fc, conv = (caffe.Net(str(tmp_path / f"{name}.prototxt"), caffe.TEST) for name in ("fc", "conv"))
    for name in fc.params:
        for mine, theirs in zip(conv.params[name], fc.params[name]):
            mine.data.flat = theirs.data.flat
    x = images(4)
    np.testing.assert_allclose(conv.forward(data=x)["prob"], fc.forward(data=x)["prob"], rtol=1e-5)
    conv.blobs["data"].reshape(4, 2, 5, 5)
    conv.blobs["data"].data[...] = 0
    conv.blobs["data"].data[:, :, 2:, 1:4] = x
    np.testing.assert_allclose(conv.forward(end="relu")["conv"][:, :, 2, 1], fc.forward(end="relu")["conv"], rtol=1e-4)


def test_memory_data(tmp_path):
    (tmp_path / "memory.prototxt").write_text('''
      layer { name: "m" type: "MemoryData" top: "x" top: "y"
        memory_data_param { batch_size: 2 channels: 2 height: 3 width: 3 } }''')
    net = caffe.Net(str(tmp_path / "memory.prototxt"), caffe.TEST)
    net.set_input_arrays(images(4), np.arange(4, dtype="float32"))
    assert [net.forward()["y"].ravel().tolist() for _ in range(3)] == [[0, 1], [2, 3], [0, 1]]
    net._set_input_arrays(images(2), np.full((2, 1, 1, 1), 5, "float32"))
    assert net.forward()["y"].ravel().tolist() == [5, 5]


def test_hooks(net):
    seen = []
    net.before_forward(lambda i: seen.append(("before", i)))
    net.after_forward(lambda i: seen.append(("after", i)))
    net.after_forward(lambda i: seen.append(("second", i)))
    net.before_backward(lambda i: seen.append(("down", i)))
    net.after_backward(lambda i: seen.append(("up", i)))
    net.forward(start="relu", end="fc")
    assert seen == [(when, i) for i in (2, 3) for when in ("before", "after", "second")]
    seen.clear()
    net.backward()
    assert seen == [(when, i) for i in range(6, -1, -1) for when in ("down", "up")]


def test_hooks_where_layers_have_one_name_or_none(tmp_path):
    (tmp_path / "twins.prototxt").write_text("force_backward: true " + "".join(
        f'layer {{ {name} type: "{kind}" {bottom} top: "{top}" {options} }}\n' for name, kind, bottom, top, options in (
            ('name: "in"', "Input", "", "x", "input_param { shape { dim: 2 } }"),
            ("", "Power", 'bottom: "x"', "a", "power_param { scale: 2 }"),
            ("", "Power", 'bottom: "a"', "b", "power_param { scale: 3 }"),
            ('name: "t"', "Power", 'bottom: "b"', "c", "power_param { scale: 5 }"),
            ('name: "t"', "Power", 'bottom: "c"', "d", "power_param { scale: 7 }"))))
    net = caffe.Net(str(tmp_path / "twins.prototxt"), caffe.TEST)
    seen = []
    for hooked in (False, True):
        if hooked:
            net.after_forward(seen.append)
        assert net.forward(x=np.ones(2))["d"].tolist() == [210, 210]
        assert net.backward(d=np.ones(2))["x"].tolist() == [210, 210]
        net.blobs["a"].data[...] = 1
        net._forward(2, 2)
        assert net.blobs["b"].data.tolist() == [3, 3]
        assert list(net.forward(end="t")) == ["c"]  # of two layers with one name the first
    assert seen == [0, 1, 2, 3, 4, 2, 0, 1, 2, 3]


def test_hooks_change_nothing(path):
    plain, hooked = caffe.Net(path, caffe.TEST), caffe.Net(path, caffe.TEST)
    hooked.share_with(plain)
    hooked.before_forward(lambda i: None)
    x = images(4)
    np.testing.assert_array_equal(plain.forward(data=x)["prob"], hooked.forward(data=x)["prob"])
    assert plain.core.context.step == hooked.core.context.step == 1
    grads = [net.backward(prob=x[:, 0, 0, :1] + np.arange(5), double=np.ones((4, 5)))["data"]
             for net in (plain, hooked)]
    np.testing.assert_array_equal(*grads)


def test_a_hook_reaches_in(net):
    def double(i):
        if net._layer_names[i] == "fc":
            net.blobs["fc"].data[...] *= 2

    plain = net.forward(data=images(4))["double"].copy()
    net.after_forward(double)
    np.testing.assert_allclose(net.forward(data=images(4))["double"], 2 * plain)


def test_random_seed(path):
    def weights():
        return caffe.Net(path, caffe.TEST).params["fc"][0].data.copy()

    caffe.set_random_seed(3)
    first, second = weights(), weights()
    caffe.set_random_seed(3)
    np.testing.assert_array_equal(first, weights())
    assert not np.array_equal(first, second)


def test_random_seed_reaches_a_net_that_is_there(tmp_path):
    (tmp_path / "drop.prototxt").write_text('''
      layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 99 } } }
      layer { name: "d" type: "Dropout" bottom: "x" top: "y" }''')
    net = caffe.Net(str(tmp_path / "drop.prototxt"), caffe.TRAIN)
    masks = []
    for seed in (1, 1, 2):
        caffe.set_random_seed(seed)
        masks.append(net.forward(x=np.ones(99))["y"].copy())
    assert np.array_equal(masks[0], masks[1]) and not np.array_equal(masks[0], masks[2])


def test_weights_of_another_net_are_passed_over(net, path, tmp_path):
    """As in Caffe; blobnet.Net refuses them."""
    file = str(tmp_path / "other.caffemodel")
    net.save(file)
    other = tmp_path / "other.prototxt"
    other.write_text(NET.replace('name: "conv"', 'name: "c"').replace('name: "fc"', 'name: "f"'))
    assert list(caffe.Net(str(other), caffe.TEST, weights=file).params) == ["c", "f"]
    with pytest.raises(NetError, match="no layer with parameters in .*other.caffemodel"):
        blobnet.Net(other, blobnet.TEST, file)


def test_notebooks_show_the_core(tmp_path):
    (tmp_path / "net.prototxt").write_text(
        'name: "shown" layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }'
        'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }')
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    shown = net, net.blobs["x"], net.layers[1]
    assert [repr(thing) for thing in shown] == ["<Net 'shown': 2 layers, 0 parameters on cpu>", "<Blob 2 float32>",
                                                "<ReLU 'r'>"]
    assert all(thing._repr_html_() == thing.core._repr_html_() for thing in shown)
