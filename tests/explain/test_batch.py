"""The rows that a page shows: of the data layers, given, or made up."""

import numpy as np
import pytest

from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError
from blobnet.explain.batch import Question, small_net
from blobnet.proto.text import parse

DATA = """
layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "%s" backend: LMDB batch_size: 12 } }
"""
NET = """
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


def net(text, data):
    return parse(DATA % data + text, "NetParameter")


@pytest.fixture
def data(tmp_path):
    with LmdbWriter(tmp_path / "lmdb") as writer:
        for i in range(12):
            datum = array_to_datum(np.full((1, 2, 2), i, np.uint8), i % 3)
            writer.put(b"%08d" % i, datum.SerializeToString())
    return tmp_path / "lmdb"


def test_rows_of_the_data_lie_far_apart(data):
    found, notes = small_net(Question(net(NET, data)))
    assert found.blobs["data"].data[:, 0, 0, 0].tolist() == [0, 3, 6, 9]
    assert found.dtype == np.float64 and notes == []
    assert found.nodes[1].bottom_needs_backward == [True]  # gradients reach the data


def test_as_many_rows_as_are_asked_for(data):
    assert small_net(Question(net(NET, data), rows=2)).net.blobs["data"].data[:, 0, 0, 0].tolist() == [0, 6]


@pytest.mark.parametrize("layer, rows", [
    ('slice_param { axis: 0 } top: "a" top: "b" top: "c"', 6),
    ('slice_param { axis: 0 slice_point: 9 } top: "a" top: "b"', 12)])
def test_more_rows_where_a_layer_cuts_the_batch(data, layer, rows):
    text = NET + f'layer {{ name: "cut" type: "Slice" bottom: "ip" {layer} }}'
    assert small_net(Question(net(text, data))).net.blobs["data"].shape[0] == rows


def test_pairs_take_more_rows(data):
    text = NET.replace('"SoftmaxWithLoss"', '"HashingLoss" hashing_loss_param { bi_margin: 6 }')
    assert small_net(Question(net(text, data))).net.blobs["data"].shape[0] == 12


def test_without_data_numbers_are_made_up(tmp_path):
    found, notes = small_net(Question(net(NET, tmp_path / "no"), shapes={"data": (5, 1, 2, 2)}))
    assert found.blobs["data"].shape == (5, 1, 2, 2) and found.blobs["data"].data.std() > 0.1
    assert set(found.blobs["label"].data) <= {0, 1}
    assert any("made-up" in note for note in notes)


def test_a_shape_that_nothing_tells_is_said(tmp_path):
    _, notes = small_net(Question(net(NET, tmp_path / "mnist")))
    assert any("no data" in note for note in notes)
    assert any("data is taken to be 12 x 1 x 28 x 28" in note for note in notes)


def test_given_numbers(tmp_path):
    given = {"data": np.arange(8.0).reshape(2, 1, 2, 2), "label": np.array([2, 0])}
    found, notes = small_net(Question(net(NET, tmp_path / "no"), inputs=given))
    assert np.array_equal(found.blobs["data"].data, given["data"]) and found.blobs["label"].data.tolist() == [2, 0]
    assert notes == []


def test_made_up_numbers_may_not_suit(tmp_path):
    text = NET + 'layer { name: "i" type: "Embed" bottom: "data" top: "e" embed_param { input_dim: 2 num_output: 2 } }'
    with pytest.raises(DataError, match="the inputs are made up"):
        small_net(Question(net(text, tmp_path / "no"), shapes={"data": (5, 1, 2, 2)}))
