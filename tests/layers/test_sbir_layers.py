"""The layers of sketch-based image retrieval."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.text import parse

RNG = np.random.default_rng(31)


# CrossEntropySimilarity.

def test_similarity_of_certain_predictions():
    yes, no = 40.0, -40.0
    alone = build("CrossEntropySimilarity", [[[yes, no, yes]] * 4,
                                             [[yes, no, yes], [yes, no, 0], [0, 0, 0], [no, no, yes]]])
    wanted = [0, -np.log(2), -3 * np.log(2), -40]
    np.testing.assert_allclose(alone.forward()[0].ravel(), wanted, atol=1e-12)


def test_nothing_is_more_similar_than_the_same_prediction():
    a = RNG.normal(size=(1, 6))
    others = np.concatenate([a, a + RNG.normal(scale=0.3, size=(50, 6))])
    alone = build("CrossEntropySimilarity", [np.repeat(a, 51, 0), others])
    assert alone.forward()[0].argmax() == 0


def test_large_scores_stay_finite():
    alone = build("CrossEntropySimilarity", [[[1e4, -1e4]], [[-1e4, 1e4]]])
    assert alone.forward()[0].item() == -2e4
    assert [diff.tolist() for diff in alone.backward([np.ones((1, 1, 1, 1))], [True, True])] == [
        [[0, 0]], [[1, -1]]]


def test_shapes_of_a_pair_must_agree():
    with pytest.raises(ShapeError, match="as many elements a row"):
        build("CrossEntropySimilarity", [np.ones((2, 3)), np.ones((2, 4))])


# TripletListData.

TRIPLETS = np.array([[0, 4, 5], [1, 5, 4], [2, 6, 4], [3, 7, 6]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight records; row y of record i has the values 10 i + column."""
    path = tmp_path_factory.mktemp("listed")
    with LmdbWriter(path / "lmdb") as writer:
        for i in range(8):
            image = np.tile(np.arange(3, dtype=np.uint8) + 10 * i, (1, 2, 1))
            writer.put(b"%08d" % i, array_to_datum(image).SerializeToString())
    with h5py.File(path / "list.h5", "w") as file:
        file["triplets"], file["attributes"] = TRIPLETS, np.arange(16).reshape(8, 2)
        file["few"], file["pairs"] = TRIPLETS[:1], TRIPLETS[:, :2]
        file["beyond"], file["half"] = TRIPLETS + 1, TRIPLETS + 0.5
    return path


def source(folder, data="batch_size: 6", listed="attributes: 2", transform=""):
    return (f"layer {{ name: 'it' type: 'TripletListData' top: 'x' top: 't' "
            f"data_param {{ source: '{folder}/lmdb' backend: LMDB {data} }} "
            f"triplet_list_param {{ source: '{folder}/list.h5' {listed} }} transform_param {{ {transform} }} }}")


def net_of(folder, phase=TRAIN, seed=3, **options):
    return Net(parse(source(folder, **options), "NetParameter"), phase, random_seed=seed)


def run(folder, steps, **options):
    """Images and attributes of so many batches."""
    net = net_of(folder, **options)
    batches = [{name: top.copy() for name, top in net.forward().items()} for _ in range(steps)]
    return np.stack([batch["x"] for batch in batches]), np.stack([batch["t"] for batch in batches])


def test_records_stand_in_three_parts_in_the_order_of_the_list(folder):
    images, attributes = run(folder, 3, phase=TEST)
    records = images[:, :, 0, 0, 0] // 10
    triplets = records.reshape(3, 3, 2).transpose(0, 2, 1).reshape(-1, 3)
    np.testing.assert_array_equal(triplets, np.concatenate([TRIPLETS, TRIPLETS[:2]]))
    np.testing.assert_array_equal(attributes[..., 0], 2 * records)
    np.testing.assert_array_equal(attributes[..., 1], 2 * records + 1)


def test_every_epoch_has_all_triplets_in_an_order_of_its_own(folder):
    images, _ = run(folder, 20)
    records = images[:, :, 0, 0, 0].astype(int) // 10
    triplets = records.reshape(20, 3, 2).transpose(0, 2, 1).reshape(10, 4, 3)
    assert all(sorted(epoch) == TRIPLETS.tolist() for epoch in triplets.tolist())
    assert len({str(epoch) for epoch in triplets.tolist()}) > 3
    np.testing.assert_array_equal(run(folder, 2)[0], images[:2])
    assert not np.array_equal(run(folder, 20, seed=4)[0], images)


def test_a_triplet_is_mirrored_as_one(folder):
    images, _ = run(folder, 20, transform="mirror: true")
    turned = (images[:, :, 0, 0, 0] > images[:, :, 0, 0, 2]).reshape(20, 3, 2)
    assert (turned == turned[:, :1]).all()
    assert 0.2 < turned[:, 0].mean() < 0.8
    assert (turned[:, 0, 0] != turned[:, 0, 1]).any()  # but not all triplets of a batch alike


def test_every_image_is_cropped_by_itself(folder):
    images, _ = run(folder, 20, transform="crop_size: 2")
    places = (images[:, :, 0, 0, 0] % 10).reshape(20, 3, 2)
    assert set(places.ravel()) == {0, 1} and (places != places[:, :1]).any()


def test_another_list_of_the_file(folder):
    images, _ = run(folder, 1, listed="attributes: 2 dataset: 'few'")
    assert (images[0, :, 0, 0, 0] // 10).tolist() == [0, 0, 4, 4, 5, 5]


def test_going_on_from_a_step(folder):
    net = net_of(folder)
    batches = [net.forward()["x"].copy() for _ in range(5)]
    net.seek(3)
    np.testing.assert_array_equal(net.forward()["x"], batches[3])


def test_its_shapes_are_known_without_its_data():
    layer = parse(source("nowhere"), "NetParameter")
    result = without_data(layer, {"x": (6, 1, 2, 3)}).layer[0]
    assert result.type == "Input" and [list(shape.dim) for shape in result.input_param.shape] == [[6, 1, 2, 3], [6, 2]]


@pytest.mark.parametrize(("options", "error", "parts"), [
    ({"data": "batch_size: 4"}, NetError, "batch_size in three equal parts, got 4"),
    ({"data": "batch_size: 0"}, NetError, "batch_size of at least 1, got 0"),
    ({"listed": ""}, NetError, "attributes of at least 1, got 0"),
    ({"listed": "attributes: 3"}, DataError, "'attributes', expected shape (8, 3), got (8, 2)"),
    ({"listed": "attributes: 2 dataset: 'pairs'"}, DataError, "'pairs', expected triplets (T, 3), got shape (4, 2)"),
    ({"listed": "attributes: 2 dataset: 'beyond'"}, DataError, "'beyond', expected numbers of records, 0 ... 7, got 8"),
    ({"listed": "attributes: 2 dataset: 'half'"}, DataError, "'half', expected numbers of records, 0 ... 7, got 0.5"),
    ({"listed": "attributes: 2 dataset: 'triplet'"}, DataError, "no dataset 'triplet'; did you mean 'triplets'"),
])
def test_refused(folder, options, error, parts):
    with pytest.raises(error) as caught:
        net_of(folder, **options)
    assert parts in str(caught.value)
