"""Weights by layer: what would be copied, and what not."""

import numpy as np
import pytest

import blobnet
from blobnet.port.weights import match_table, match_weights
from blobnet.proto.messages import new
from blobnet.proto.named_arrays import write_named
from blobnet.proto.text import parse

NET = """layer { name: "d" type: "Input" top: "x" input_param { shape { dim: [2, 3] } } }
layer { name: "%s" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 4 } }
layer { name: "two" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: %d } }
layer { name: "three" type: "InnerProduct" bottom: "b" top: "c" inner_product_param { num_output: 2 } }"""


@pytest.mark.parametrize("suffix", [".caffemodel", ".caffemodel.h5", ".npz", ".safetensors"])
def test_statuses(tmp_path, suffix):
    theirs = blobnet.Net(parse(NET % ("one", 5), "NetParameter"))
    path = tmp_path / f"weights{suffix}"
    theirs.save(path)
    net = blobnet.Net(parse(NET % ("mine", 6), "NetParameter"))
    matches = match_weights(net, path)
    assert [(match.layer, match.status) for match in matches] == [
        ("mine", "left"), ("two", "mismatched"), ("three", "mismatched"), ("one", "unused")]
    assert matches[1].net == [(6, 4), (6,)] and matches[1].file == [(5, 4), (5,)]
    assert [match.status for match in match_weights(theirs, path)] == ["copied"] * 3
    assert "1 left, 2 mismatched, 1 unused" in match_table(matches)


def test_names_that_are_not_those_of_the_parameters(tmp_path):
    net = blobnet.Net(parse(NET % ("one", 5), "NetParameter"))
    write_named(tmp_path / "w.npz", {"one.gamma": np.ones((4, 3)), "one.beta": np.ones(4), "two.1": np.ones(5),
                                     "two.weight": np.ones((5, 4)), "more.0": np.ones(2)})
    assert [(match.layer, match.status, match.file) for match in match_weights(net, tmp_path / "w.npz")] == [
        ("one", "mismatched", [(4, 3), (4,)]), ("two", "copied", [(5, 4), (5,)]), ("three", "left", []),
        ("more", "unused", [(2,)])]


def test_legacy_shapes_are_reshaped(tmp_path):
    net = blobnet.Net(parse(NET % ("one", 5), "NetParameter"))
    file = new("NetParameter", layer=[{"name": "one", "blobs": [
        {"num": 1, "channels": 1, "height": 4, "width": 3, "data": range(12)},
        {"num": 1, "channels": 1, "height": 1, "width": 4, "data": range(4)}]}])
    (tmp_path / "old.caffemodel").write_bytes(file.SerializeToString())
    assert [match.status for match in match_weights(net, tmp_path / "old.caffemodel")] == ["reshaped", "left", "left"]
    copied = net.copy_from(tmp_path / "old.caffemodel")
    assert (copied, copied.reshaped, copied.left) == (["one"], ["one"], ["two", "three"])
    assert copied.lines() == ["Reshaped from the older format: one", "Not in this file, so as they were: two, three"]
    np.testing.assert_array_equal(net.params["one"][0].data, np.arange(12).reshape(4, 3))
