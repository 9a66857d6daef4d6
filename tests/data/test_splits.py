"""Sets divided as papers on hashing do."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from blobnet.data.images.mean import read_mean
from blobnet.data.sets import import_set, splits
from blobnet.data.sets.splits import SPLITS, Split, split_paths, write_split
from blobnet.data.stores.database import open_database
from blobnet.data.stores.records import Records
from blobnet.errors import DataError


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with the digits."""
    folder = tmp_path_factory.mktemp("data")
    import_set("digits", folder)
    return folder


@pytest.fixture
def data(digits, tmp_path, monkeypatch):
    """The digits in a folder of the test's own, which can be divided."""
    for path in digits.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.setattr(splits, "SPLITS", {
        "digits-I": Split("digits", 10, 20, 5, "rest"),
        "digits-1797": Split("digits", 10, 20, 5, "others", parts="digits-I"),
        "digits-II": Split("digits", 34, 140, 0, "train")})
    return tmp_path


def read(path):
    """The records of a database by what the images are called, and their labels in the order of the records."""
    reader = open_database(path)
    records = Records(reader)
    ids = [b"_".join(key.split(b"_")[-2:]).decode() for key in reader.keys()]
    return dict(zip(ids, (bytes(records.value(n)) for n in range(len(records))), strict=True)), records.labels()


def test_the_parts_hold_so_many_of_a_class_and_share_no_image(data):
    paths = write_split("digits-I", data)
    assert paths == split_paths("digits-I", data)
    parts = [read(path) for path in paths[:4]]
    (query, _), (train, _), (base, _), (validation, _) = parts
    for (records, labels), count in zip((parts[0], parts[1], parts[3]), (10, 20, 5), strict=True):
        np.testing.assert_array_equal(np.bincount(labels), [count] * 10)
        assert len(records) == 10 * count
    assert list(query) == sorted(query) and list(base) == sorted(base)
    assert 60 < sum(one < other for one, other in pairwise(train)) < 140  # of 199 neighbours: in a random order
    assert not query.keys() & train.keys() and not query.keys() & base.keys() and not train.keys() & base.keys()
    assert validation.keys() < base.keys()
    whole = {f"{part}_{name.removeprefix(f'{part}_')}": value for part in ("train", "test")
             for name, value in _records(data / f"digits_{part}_lmdb", part).items()}
    assert query | train | base == whole


def _records(path, part):
    reader = open_database(path)
    return {f"{part}_{key.decode()}": bytes(reader.read()) for key in reader.keys()}


def test_the_images_come_from_both_parts_of_the_set(data):
    for path in write_split("digits-I", data)[:4]:
        assert {name.split("_")[0] for name in read(path)[0]} == {"train", "test"}


def test_the_mean_is_that_of_the_training_part(data):
    paths = write_split("digits-I", data)
    images = Records(open_database(paths[1])).images(range(200))
    np.testing.assert_allclose(read_mean(paths[-1]), np.mean(images, axis=0), rtol=1e-6)


def test_another_base_has_all_images_that_are_no_queries(data):
    *others, path = write_split("digits-1797", data)
    assert others == split_paths("digits-I", data)
    base, query, train = (read(each)[0] for each in (path, *others[:2]))
    assert len(base) == 1797 - 100 and not base.keys() & query.keys() and train.keys() < base.keys()


def test_where_the_training_part_is_the_base_there_is_no_other(data):
    paths = write_split("digits-II", data)
    assert [path.name for path in paths] == ["digits_II_query_lmdb", "digits_II_train_lmdb",
                                             "digits_II_mean.binaryproto"]
    assert [len(open_database(path)) for path in paths[:2]] == [340, 1400]


def test_a_seed_draws_the_same_images_and_another_others(data, tmp_path):
    first = [read(path)[0] for path in write_split("digits-I", data, seed=3)[:4]]
    for path in split_paths("digits-I", data)[:4]:
        path.rename(path.with_name(f"{path.name}_first"))
    split_paths("digits-I", data)[4].unlink()
    assert [read(path)[0] for path in write_split("digits-I", data, seed=3)[:4]] == first
    for path in split_paths("digits-I", data)[:4]:
        path.rename(path.with_name(f"{path.name}_second"))
    split_paths("digits-I", data)[4].unlink()
    other = [read(path)[0] for path in write_split("digits-I", data, seed=4)[:4]]
    assert all(one.keys() != two.keys() for one, two in zip(first, other, strict=True))


def test_parts_that_are_there_are_left_alone(data):
    paths = write_split("digits-I", data)
    times = [path.stat().st_mtime_ns for path in paths]
    assert write_split("digits-I", data) == paths
    assert [path.stat().st_mtime_ns for path in paths] == times


@pytest.mark.parametrize("name, spoil, says", [
    ("digits-3", lambda data: None, "digits-I"),
    ("digits-I", lambda data: (data / "digits_train_lmdb").unlink(), "blobnet data import digits"),
    ("digits-I", lambda data: write_split("digits-I", data, seed=1), "other images than the seed 0"),
    ("digits-I", lambda data: (data / "digits_I_base_lmdb").mkdir(), "the others are missing"),
    ("digits-II", lambda data: splits.SPLITS.update({"digits-II": Split("digits", 100, 100, 0, "train")}),
     "expected 200 images or more"),
], ids=["unknown", "not imported", "another seed", "a part", "too few"])
def test_errors_say_what_to_do(data, name, spoil, says):
    spoil(data)
    with pytest.raises(DataError, match=says):
        write_split(name, data)


def test_a_seed_is_not_negative(data):
    with pytest.raises(DataError, match="a seed from 0"):
        write_split("digits-I", data, seed=-1)


def test_the_splits_of_cifar10_have_the_sizes_of_the_papers():
    assert {name: (10 * split.query, 10 * split.train) for name, split in SPLITS.items()} == {
        "cifar10-I": (1000, 5000), "cifar10-59000": (1000, 5000), "cifar10-II": (10000, 50000)}
