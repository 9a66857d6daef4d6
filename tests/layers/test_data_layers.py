"""Data, Input and DummyData in nets."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN, Context
from blobnet.core.net import Net
from blobnet.core.registry import layer_class
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import BlobnetError, DataError, NetError
from blobnet.proto.text import parse

IMAGES = np.random.default_rng(2).integers(0, 256, (10, 3, 6, 5), np.uint8)


def build(text, phase=TEST, tops=2, seed=7, dtype="float32", index=0):
    param = parse(f"layer {{ name: 'd' {text} }}", "NetParameter").layer[0]
    param.phase = phase
    param.top.extend(f"top {i}" for i in range(tops))
    layer = layer_class(param.type, "test")(param, Context(dtype=np.dtype(dtype), seed=seed), index)
    blobs = [Blob((), dtype=dtype) for _ in range(tops)]
    layer.initialize([], blobs)
    return layer, blobs


def forward(layer, blobs, times=1):
    """The data of all tops after each forward."""
    results = []
    for _ in range(times):
        layer.forward([], blobs)
        layer.context.step += 1
        results.append([blob.data.copy() for blob in blobs])
    return results


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "ten_lmdb"
    with LmdbWriter(path) as writer:
        for i, image in enumerate(IMAGES):
            writer.put(b"%08d" % i, array_to_datum(image, i).SerializeToString())
    return path


def data(source, options="", transform="", backend="LMDB", batch_size=4):
    return (f"type: 'Data' transform_param {{ {transform} }} "
            f"data_param {{ source: '{source}' backend: {backend} batch_size: {batch_size} {options} }}")


def test_batches_in_order(source):
    layer, blobs = build(data(source))
    assert [blob.shape for blob in blobs] == [(4, 3, 6, 5), (4,)]  # known before any forward
    for n, (images, labels) in enumerate(forward(layer, blobs, 6)):
        records = [(4 * n + i) % 10 for i in range(4)]
        np.testing.assert_array_equal(images, IMAGES[records])
        assert labels.tolist() == records


def test_without_labels(source):
    layer, blobs = build(data(source), tops=1)
    np.testing.assert_array_equal(forward(layer, blobs, 2)[1][0], IMAGES[4:8])


def test_float64(source):
    layer, blobs = build(data(source, transform="scale: 0.1"), dtype="float64")
    images, labels = forward(layer, blobs)[0]
    assert images.dtype == labels.dtype == np.float64
    np.testing.assert_allclose(images, IMAGES[:4] * float(np.float32(0.1)), rtol=1e-15)


def test_crop_is_central_in_test_and_random_in_train(source):
    layer, blobs = build(data(source, transform="crop_size: 3"))
    np.testing.assert_array_equal(forward(layer, blobs)[0][0], IMAGES[:4, :, 1:4, 1:4])
    layer, blobs = build(data(source, transform="crop_size: 3"), TRAIN)
    first, *_, sixth = (images for images, _ in forward(layer, blobs, 6))
    assert blobs[0].shape == (4, 3, 3, 3) and not np.array_equal(first, sixth)  # the same records


@pytest.mark.parametrize("step", [0, 1, 3, 9])
def test_a_resumed_run_reads_on(source, step):
    text = data(source, "prefetch: 2", "mirror: true crop_size: 4")
    layer, blobs = build(text, TRAIN)
    whole = forward(layer, blobs, 12)
    for done in (0, 5):  # a new layer, and one that has run already
        layer, blobs = build(text, TRAIN)
        forward(layer, blobs, done)
        layer.seek(step)
        for got, wanted in zip(forward(layer, blobs, 3), whole[step:]):
            np.testing.assert_array_equal(got[0], wanted[0])
            np.testing.assert_array_equal(got[1], wanted[1])


def test_seek_takes_up_a_new_seed(source):
    text = data(source, transform="mirror: true crop_size: 3")
    layer, blobs = build(text, TRAIN, seed=8)
    forward(layer, blobs)
    layer.context.seed = 7
    layer.seek(1)
    for got, wanted in zip(forward(layer, blobs, 3), forward(*build(text, TRAIN, seed=7), 4)[1:]):
        np.testing.assert_array_equal(got[0], wanted[0])


def test_seed_and_place_in_the_net_decide_the_random_numbers(source):
    text = data(source, transform="mirror: true crop_size: 3")
    runs = [np.stack([images for images, _ in forward(*build(text, TRAIN, seed=seed, index=index), 4)])
            for seed, index in [(7, 0), (7, 0), (8, 0), (7, 1)]]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2]) and not np.array_equal(runs[0], runs[3])


def test_rand_skip_has_no_effect(source):
    assert {int(forward(*build(data(source, "rand_skip: 5"), seed=seed))[0][1][0]) for seed in range(10)} == {0}


def test_images_of_any_size_one_at_a_time(tmp_path):
    with LmdbWriter(tmp_path / "db") as writer:
        for i in range(3):
            writer.put(b"%d" % i, array_to_datum(np.full((1, i + 1, 2), i, np.uint8)).SerializeToString())
    layer, blobs = build(data(tmp_path / "db", batch_size=1), tops=1)
    assert [images.shape[2] for images, in forward(layer, blobs, 4)] == [1, 2, 3, 1]


def test_two_layers_read_one_database(source):
    first, second = build(data(source)), build(data(source), index=1)
    forward(*first, 2)
    assert forward(*second)[0][1].tolist() == [0, 1, 2, 3]


def test_threads_end_with_the_layer(source):
    layer, blobs = build(data(source))
    forward(layer, blobs)
    del layer
    gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name == "blobnet-prefetch"]


def test_errors_of_the_thread_reach_forward(tmp_path):
    with LmdbWriter(tmp_path / "db") as writer:
        writer.put(b"0", array_to_datum(IMAGES[0]).SerializeToString())
        writer.put(b"1", b"\xff")
    layer, blobs = build(data(tmp_path / "db"))
    with pytest.raises(DataError, match="layer 'd' .Data.: .*db' record 1: expected a Datum"):
        forward(layer, blobs)


@pytest.mark.parametrize("options, message", [
    ({"batch_size": 0}, "layer 'd' .Data.: expected batch_size of at least 1, got 0"),
    ({"options": "prefetch: 0"}, "expected prefetch of at least 1"), ({"backend": "LEVELDB"}, "write backend: LMDB"),
    ({"source": "x" * 5000}, "database 'x*': cannot be read .File name too long"),
    ({"source": "nowhere_lmdb"}, "layer 'd' .Data.: .*nowhere_lmdb.*no such folder"),
    ({"source": ""}, r"layer 'd' \(Data\): no source; write data_param { source: ")])
def test_data_options(source, options, message):
    with pytest.raises(BlobnetError, match=message):
        build(data(**{"source": source, **options}))


# Input and DummyData.

@pytest.mark.parametrize("shapes, wanted", [
    ("shape { dim: 2 dim: 3 }", [(2, 3), (2, 3)]), ("shape { dim: 2 } shape { dim: 3 dim: 1 }", [(2,), (3, 1)])])
def test_input(shapes, wanted):
    layer, blobs = build(f"type: 'Input' input_param {{ {shapes} }}")
    assert [blob.shape for blob in blobs] == wanted
    blobs[0].data[...] = 5
    blobs[1].reshape((4, 4))  # a user's shape stays
    layer.update_shapes([], blobs)
    forward(layer, blobs)
    assert (blobs[0].data == 5).all() and blobs[1].shape == (4, 4)


def test_input_shapes_for_other_tops():
    with pytest.raises(NetError, match=r"one shape, or one a top \(3\), got 2"):
        build("type: 'Input' input_param { shape { dim: 1 } shape { dim: 1 } }", tops=3)


def dummy(text):
    return f"type: 'DummyData' dummy_data_param {{ {text} }}"


UNIFORM = "data_filler { type: 'uniform' min: 1 max: 2 } "
CONSTANT = "data_filler { type: 'constant' value: 3 } "


def test_dummy_defaults_to_zero():
    layer, blobs = build(dummy("shape { dim: 2 dim: 3 }"))
    assert [blob.shape for blob in blobs] == [(2, 3)] * 2
    assert all((values == 0).all() for values in forward(layer, blobs)[0])


def test_dummy_constants_once_others_each_time():
    layer, blobs = build(dummy(UNIFORM + CONSTANT + "num: 2 num: 4 channels: 3 height: 1 width: 5"))
    assert [blob.shape for blob in blobs] == [(2, 3, 1, 5), (4, 3, 1, 5)]
    assert (blobs[1].data == 3).all()  # before any forward
    blobs[1].data[...] = 8
    first, second = forward(layer, blobs, 2)
    assert (second[1] == 8).all()
    assert ((first[0] >= 1) & (first[0] < 2)).all() and not np.array_equal(first[0], second[0])


def test_dummy_one_filler_for_all_and_repeatable():
    layer, blobs = build(dummy(UNIFORM + "shape { dim: 50 }"))
    first, second = forward(layer, blobs, 2)
    assert not np.array_equal(*first)
    layer.context.step = 1
    np.testing.assert_array_equal(forward(layer, blobs)[0], second)


@pytest.mark.parametrize("text, message", [
    ("", "one shape"), ("num: 2 channels: 1 height: 1", "one width"), ("shape { dim: 1 } num: 1", "exclude each other"),
    ("shape { dim: 1 } shape { dim: 1 }", r"one a top \(3\), got 2"),
    (UNIFORM + UNIFORM + "shape { dim: 1 }", "one data_filler")])
def test_dummy_options(text, message):
    with pytest.raises(NetError, match=message):
        build(dummy(text), tops=3)


@pytest.mark.parametrize("kind", ["Input", "DummyData", "Data"])
def test_no_bottoms_and_an_empty_backward(kind, source):
    text = {"Input": "type: 'Input'", "DummyData": dummy("shape { dim: 1 }"), "Data": data(source)}[kind]
    layer, blobs = build(text)
    layer.backward(blobs, [], [])
    with pytest.raises(NetError, match="expected 0 bottom blobs, got 1"):
        layer.initialize([Blob()], blobs)


def test_dummy_filler_is_refused_when_the_net_is_built(tmp_path):
    text = "name: 'n'\nlayer { name: 'd' top: 'x' " + dummy("data_filler { type: 'unifrom' } shape { dim: 1 }") + " }"
    (tmp_path / "net.prototxt").write_text(text)
    with pytest.raises(NetError, match=r"net.prototxt:2:\d+: layer 'd'.*unknown filler 'unifrom'"):
        Net(tmp_path / "net.prototxt")
