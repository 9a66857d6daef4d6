"""Images to choose settings by: held out of the training part, under the names of the test images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from blobnet.data.images.encode import encode_image
from blobnet.data.images.files import read_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.mean import mean_image, read_mean
from blobnet.data.sets import import_set, shape_sets, splits
from blobnet.data.sets.splits import Split, write_split
from blobnet.data.sets.validation import validation_folder, write_validation
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.hdf5 import read_datasets, write_datasets
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.blobs import write_blob

RNG = np.random.default_rng(5)


def write_set(folder, name="mine", train=30, test=10):
    """A set of noise, with a mean image."""
    images = RNG.integers(0, 256, (train + test, 3, 4, 5), np.uint8)
    for split, part in (("train", images[:train]), ("test", images[train:])):
        with LmdbWriter(folder / f"{name}_{split}_lmdb") as writer:
            for i, image in enumerate(part):
                writer.put(b"%08d" % i, array_to_datum(image, i).SerializeToString())
    write_blob(folder / f"{name}_mean.binaryproto", mean_image([images[:train]]))


def records(path):
    reader = open_database(path)
    return {key: bytes(reader.read()) for key in reader.keys()}


@pytest.mark.parametrize("count, held", [(0, 3), (7, 7), (29, 29)])
def test_the_training_part_is_divided(count, held, tmp_path):
    write_set(tmp_path)
    paths = write_validation("mine", tmp_path, count)
    assert paths == [validation_folder(tmp_path, count) / f"mine_{end}"
                     for end in ("train_lmdb", "test_lmdb", "mean.binaryproto")]
    train, test, whole = records(paths[0]), records(paths[1]), records(tmp_path / "mine_train_lmdb")
    assert len(test) == held and not train.keys() & test.keys() and train | test == whole
    assert not set(test.values()) & set(records(tmp_path / "mine_test_lmdb").values())
    kept = Records(open_database(paths[0])).images(range(30 - held))
    np.testing.assert_allclose(read_mean(paths[2]), np.mean(kept, axis=0), rtol=1e-6)


def test_the_same_images_are_held_out_each_time_and_not_the_last_ones(tmp_path):
    held = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_set(tmp_path / name)
        held.append(list(records(write_validation("mine", tmp_path / name, 10)[1])))
    assert held[0] == held[1] != [b"%08d" % i for i in range(20, 30)]


def test_nothing_is_done_twice_unless_the_set_is_younger(tmp_path):
    write_set(tmp_path)
    first = write_validation("mine", tmp_path)
    times = [path.stat().st_mtime_ns for path in first]
    assert write_validation("mine", tmp_path) == first
    assert [path.stat().st_mtime_ns for path in first] == times
    later = (first[0] / "data.mdb").stat().st_mtime + 10
    os.utime(tmp_path / "mine_train_lmdb/data.mdb", (later, later))
    with pytest.raises(DataError, match="is older than.*remove the folder"):
        write_validation("mine", tmp_path)


@pytest.mark.parametrize("count", [30, 31])
def test_some_image_is_left(count, tmp_path):
    write_set(tmp_path)
    with pytest.raises(DataError, match=f"1 to 29 of 30 to hold out, got {count}"):
        write_validation("mine", tmp_path, count)
    assert not list(validation_folder(tmp_path, count).iterdir())


@pytest.mark.parametrize("name", ["/elsewhere/mine", "../mine"])
def test_a_set_elsewhere_would_stand_for_itself(name, tmp_path):
    with pytest.raises(DataError, match="a set in the data folder"):
        write_validation(name, tmp_path)


def test_a_set_must_be_there(tmp_path):
    with pytest.raises(DataError, match="no training part of a data set 'yours'"):
        write_validation("yours", tmp_path)


@pytest.mark.parametrize("start", ["mine_", "mine/"])
def test_the_paths_in_lists_lead_to_the_same_images(start, tmp_path):
    images = RNG.integers(0, 256, (20, 3, 4, 5), np.uint8)
    root = Path(f"{tmp_path}/{start}x").parent
    (root / "pictures of mine").mkdir(parents=True)
    for i, image in enumerate(images):
        (root / f"pictures of mine/{i}.png").write_bytes(encode_image(image, "png"))
    absolute = root / "pictures of mine/0.png"
    lines = [f"{absolute if i == 0 else f'pictures of mine/{i}.png'} {i % 2} {(i + 1) % 2}\n" for i in range(20)]
    (tmp_path / f"{start}train.txt").write_text("".join(lines[:16]))
    (tmp_path / f"{start}test.txt").write_text("".join(lines[16:]))
    write_blob(tmp_path / f"{start}mean.binaryproto", mean_image([images[:16]]))
    train, test, mean = write_validation("mine", tmp_path, 4)
    assert train == validation_folder(tmp_path, 4) / f"{start}train.txt"
    seen = []
    for path, count in ((train, 12), (test, 4)):
        names, rows = read_image_list(path, 2)
        assert len(names) == count
        found = [int(name.split("/")[-1].removesuffix(".png")) for name in names]
        for name, n, row in zip(names, found, rows, strict=True):
            np.testing.assert_array_equal(read_image(os.path.join(path.parent, name)), images[n])
            assert row.tolist() == [n % 2, (n + 1) % 2]
        seen.append(found)
    assert sorted(seen[0] + seen[1]) == list(range(16))
    np.testing.assert_allclose(read_mean(mean), images[seen[0]].mean(axis=0), rtol=1e-6)


def test_sketches_keep_their_photos_and_triplets_count_anew(tmp_path):
    write_set(tmp_path, train=20, test=4)  # ten pairs
    attributes = RNG.integers(0, 2, (20, 3)).astype(np.uint8)
    pairs = np.array([(i, 10 + i, 10 + j) for i in range(10) for j in range(10) if i != j], np.int32)
    for split in ("train", "test"):
        write_datasets(tmp_path / f"mine_{split}.h5",
                       {"attributes": attributes, "triplets": pairs[::7], "pairs": pairs})
    write_validation("mine", tmp_path, 3)
    seen = []
    for split, count in (("train", 7), ("test", 3)):
        folder = validation_folder(tmp_path, 3)
        found = [int(key) for key in open_database(folder / f"mine_{split}_lmdb").keys()]
        assert found[count:] == [10 + i for i in found[:count]] and len(found) == 2 * count
        tables = read_datasets(folder / f"mine_{split}.h5", ["attributes", "triplets", "pairs"], np.dtype(np.int64))
        np.testing.assert_array_equal(tables[0], attributes[found])
        as_before = [np.array(found)[table] for table in tables[1:]]
        own = set(found[:count])
        for table, whole in zip(as_before, (pairs[::7], pairs), strict=True):
            assert table.tolist() == [row for row in whole.tolist() if {row[0], row[1] - 10, row[2] - 10} <= own]
        seen += found
    assert sorted(seen) == list(range(20))


@pytest.mark.parametrize("name", ["shapes", "shapes_masks"])
def test_of_a_drawn_set_others_are_drawn(name, tmp_path, monkeypatch):
    monkeypatch.setattr(shape_sets, "COUNTS", {"train": 4, "test": 3})
    import_set(name, tmp_path)
    made = write_validation(name, tmp_path)
    assert [path.name for path in made] == [path.name for path in import_set(name, tmp_path)]
    if name == "shapes":
        train, test = (list(records(path).values()) for path in made[:2])
        assert train == list(records(tmp_path / "shapes_train_lmdb").values())
        assert len(test) == 3 and not set(test) & set(records(tmp_path / "shapes_test_lmdb").values())
    else:
        pixels = [{path.name: path.read_bytes() for path in (folder / "shapes_masks_images").iterdir()}
                  for folder in (tmp_path, made[0].parent)]
        assert {name: pixels[0][name] == pixels[1][name] for name in pixels[0]} == {
            name: name.startswith("train") for name in pixels[0]}


def test_a_split_gives_its_validation_part_and_searches_without_it(tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "SPLITS", known := {"digits-I": Split("digits", 10, 20, 5, "rest"),
                                                    "digits-1797": Split("digits", 10, 20, 5, "others", "digits-I")})
    monkeypatch.setattr("blobnet.data.sets.validation.SPLITS", known)
    import_set("digits", tmp_path)
    write_split("digits-1797", tmp_path)
    folder = write_validation("digits-1797", tmp_path)[0].parent
    names = ("I_query", "I_train", "I_base", "1797_base")
    now, before = ({part: records(path / f"digits_{part}_lmdb") for part in names} for path in (folder, tmp_path))
    held = records(tmp_path / "digits_I_validation_lmdb")
    assert now["I_query"] == held and now["I_train"] == before["I_train"]
    for base in ("I_base", "1797_base"):
        assert not now[base].keys() & held.keys() and now[base] | held == before[base]
    name = "digits_I_mean.binaryproto"
    assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_where_a_split_has_no_validation_part_its_training_part_is_divided(tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "SPLITS", known := {"digits-II": Split("digits", 34, 140, 0, "train")})
    monkeypatch.setattr("blobnet.data.sets.validation.SPLITS", known)
    import_set("digits", tmp_path)
    write_split("digits-II", tmp_path)
    paths = {path.name: path for path in write_validation("digits-II", tmp_path)}
    train, query = records(paths["digits_II_train_lmdb"]), records(paths["digits_II_query_lmdb"])
    assert len(query) == 140 and train | query == records(tmp_path / "digits_II_train_lmdb")
