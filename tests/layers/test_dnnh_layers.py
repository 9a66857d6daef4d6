"""The layers of DNNH, and its nets."""

from __future__ import annotations

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN, Context
from blobnet.core.registry import layer_class
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, NetError
from blobnet.proto.text import parse

RNG = np.random.default_rng(21)


# PiecewiseThreshold.

@pytest.mark.parametrize(("epsilon", "wanted", "slopes"), [
    (0, [0, 0, 0.5, 1, 1], [0, 0, 1, 0, 0]),
    (0.25, [0, 0.25, 0.5, 0.75, 1], [0, 1, 1, 1, 0]),  # both bounds pass
    (0.3, [0, 0.25, 0.5, 0.75, 1], [0, 1, 1, 1, 0]),
    (0.5, [0.125, 0.25, 0.5, 0.75, 0.875], [1, 1, 1, 1, 1])])
@pytest.mark.parametrize("tops", ["y", "x0"])  # x0: in place
def test_pieces(epsilon, wanted, slopes, tops):
    alone = build("PiecewiseThreshold", [[0.125, 0.25, 0.5, 0.75, 0.875]],
                  f"piecewise_threshold_param {{ epsilon: {epsilon} }}", tops)
    assert alone.forward()[0].tolist() == wanted
    dy = np.array([2.0, -1, 3, -4, 5])
    assert alone.backward([dy], [True])[0].tolist() == (dy * slopes).tolist()


def test_nan_stays():
    assert np.isnan(build("PiecewiseThreshold", [[np.nan]]).forward()[0]).all()


@pytest.mark.parametrize("epsilon", [-0.1, 0.6])
def test_epsilon_is_checked(epsilon):
    with pytest.raises(NetError, match=f"'it' .PiecewiseThreshold.: expected epsilon from 0 to 0.5, got {epsilon}"):
        build("PiecewiseThreshold", [[0.5]], f"piecewise_threshold_param {{ epsilon: {epsilon} }}")


# TripletData.

@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "lmdb"
    with LmdbWriter(path) as writer:
        for i in range(12):  # every pixel of record i is i
            writer.put(b"%08d" % i, array_to_datum(np.full((1, 4, 4), i, np.uint8), i % 3).SerializeToString())
    return path


def layer_of(source, options="", phase=TRAIN, seed=7, tops=2):
    text = (f"layer {{ name: 'd' type: 'TripletData' transform_param {{ crop_size: 2 }} "
            f"data_param {{ source: '{source}' backend: LMDB {options or 'batch_size: 9'} }} }}")
    param = parse(text, "NetParameter").layer[0]
    param.phase = phase
    layer = layer_class(param.type, "test")(param, Context(dtype=np.dtype("float32"), seed=seed), 0)
    blobs = [Blob((), dtype="float32") for _ in range(tops)]
    layer.initialize([], blobs)
    return layer, blobs


def forward(layer, blobs, times):
    results = []
    for _ in range(times):
        layer.forward([], blobs)
        layer.context.step += 1
        results.append([blob.data.copy() for blob in blobs])
    return results


def test_thirds(source):
    layer, blobs = layer_of(source)
    assert [blob.shape for blob in blobs] == [(9, 1, 2, 2), (9,)]  # known before any forward
    for images, labels in forward(layer, blobs, 20):
        records = images[:, 0, 0, 0]
        assert (labels == records % 3).all()
        query, positive, negative = records.reshape(3, 3)
        assert (query % 3 == positive % 3).all() and (query != positive).all() and (query % 3 != negative % 3).all()


def test_a_resumed_run_reads_on_and_a_seed_decides(source):
    whole = forward(*layer_of(source), 6)
    layer, blobs = layer_of(source)
    layer.seek(4)
    for got, wanted in zip(forward(layer, blobs, 2), whole[4:]):
        np.testing.assert_array_equal(got[0], wanted[0])
    assert not np.array_equal(whole[0][0], whole[1][0])
    assert not np.array_equal(forward(*layer_of(source, seed=8), 1)[0][0], whole[0][0])


def test_in_the_test_phase_in_order(source):
    batches = forward(*layer_of(source, "batch_size: 5", TEST), 3)
    assert [images[:, 0, 0, 0].tolist() for images, _ in batches] == [
        [0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 0, 1, 2]]


def test_without_labels(source):
    assert len(forward(*layer_of(source, tops=1), 1)[0]) == 1


@pytest.mark.parametrize(("options", "message"), [
    ("batch_size: 0", "layer 'd' .TripletData.: expected batch_size of at least 1, got 0"),
    ("batch_size: 8", "layer 'd' .TripletData.: expected batch_size in three equal parts, got 8"),
    ("batch_size: 9 prefetch: 0", "expected prefetch of at least 1")])
def test_options(source, options, message):
    with pytest.raises(NetError, match=message):
        layer_of(source, options)


def test_one_class_is_refused(tmp_path):
    with LmdbWriter(tmp_path / "db") as writer:
        for i in range(3):
            writer.put(b"%d" % i, array_to_datum(np.zeros((1, 4, 4), np.uint8), 5).SerializeToString())
    with pytest.raises(DataError, match="db': expected records of two classes or more.*got 3 records of 1 classes"):
        layer_of(tmp_path / "db")
