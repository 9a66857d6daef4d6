"""Import of QMUL Shoes and Chairs from a small stand-in of their files."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from blobnet.data.images.files import read_image
from blobnet.data.sets import SETS, import_set, qmul_sbir
from blobnet.data.sets.canny import edge_map
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.errors import DataError, MissingLibrary

SMALL = dataclasses.replace(qmul_sbir.CHAIRS, pairs={"train": 3, "test": 2}, attributes=4)
JUDGED = {"train": [[[0, 1], [2, 1], [0, 2], [0, 2]], [[1, 0]], [[2, 0], [1, 0]]], "test": [[[0, 1]], [[0, 1]]]}
NUMBERS = {"train": [1, 2, 3], "test": [4, 5]}
TABLES = {kind: np.random.default_rng(len(kind)).integers(0, 2, (5, 4), np.uint8) for kind in ("sketch", "image")}


def sketch(number):
    """A square that grows with the number, in black lines, RGBA as published."""
    image = np.full((256, 256, 4), 255, np.uint8)
    side = slice(40, 60 + 20 * number)
    for line in (40, 59 + 20 * number):
        image[side, line, :3] = image[line, side, :3] = 0
    return image


def photo(number):
    image = np.full((256, 256, 3), 255, np.uint8)
    image[40:60 + 20 * number, 40:60 + 20 * number] = [10, 90, 20 * number]
    return image


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the set, in a folder of its name."""
    monkeypatch.setitem(SETS, "qmul_chairs", SMALL)
    root = tmp_path / "qmul" / "chairs"
    annotation = {}
    for split, numbers in NUMBERS.items():
        for what, suffix, draw in (("sketches", "png", sketch), ("images", "png", photo)):
            (root / split / what).mkdir(parents=True)
            for number in numbers:
                Image.fromarray(draw(number)).save(root / split / what / f"{number}.{suffix}")
        names = [f"{number}.png" for number in numbers]
        annotation[split] = {"sketches": names, "images": names, "triplets": JUDGED[split]}
    (root / "annotation").mkdir()
    (root / "annotation/chairs_annotation.json").write_text(json.dumps(annotation))
    for kind, table in TABLES.items():
        scipy.io.savemat(root / f"annotation/{kind}_label.mat", {"labels": table})
    return tmp_path / "qmul"


def records(path):
    reader = LmdbReader(path)
    found = [parse_datum(reader.read()) for _ in range(len(reader))]
    return [datum_to_array(datum) for datum in found], [datum.label for datum in found]


@pytest.mark.parametrize("inside", [False, True])
def test_sketches_come_first_and_then_the_edges_of_their_photos(folder, tmp_path, inside):
    paths = import_set("qmul_chairs", tmp_path / "out", folder / "chairs" if inside else folder)
    assert [path.name for path in paths] == [f"qmul_chairs_{part}" for part in (
        "train_lmdb", "test_lmdb", "mean.binaryproto", "train.h5", "test.h5")]
    for path, numbers in zip(paths, NUMBERS.values()):
        images, labels = records(path)
        assert labels == 2 * list(range(len(numbers)))
        for number, drawn, edges in zip(numbers, images, images[len(numbers):]):
            np.testing.assert_array_equal(drawn[0], sketch(number)[..., 0])
            split = "train" if number < 4 else "test"
            gray = read_image(folder / "chairs" / split / "images" / f"{number}.png", color=False)
            np.testing.assert_array_equal(edges[0], edge_map(gray[0]))
            rows = np.flatnonzero((edges[0] < 100).any(1))
            assert abs(rows[0] - 39.5) < 1 and abs(rows[-1] - 59.5 - 20 * number) < 1


def test_tables(folder, tmp_path):
    import_set("qmul_chairs", tmp_path, folder)
    with h5py.File(tmp_path / "qmul_chairs_train.h5") as file:
        assert file["triplets"][:].tolist() == [[0, 3, 4], [0, 5, 4], [0, 3, 5], [0, 3, 5], [1, 4, 3], [2, 5, 3],
                                                [2, 4, 3]]
        assert file["pairs"][:].tolist() == [[0, 3, 4], [0, 3, 5], [1, 4, 3], [1, 4, 5], [2, 5, 3], [2, 5, 4]]
        np.testing.assert_array_equal(file["attributes"], [*TABLES["sketch"][:3], *TABLES["image"][:3]])
    with h5py.File(tmp_path / "qmul_chairs_test.h5") as file:
        assert file["triplets"][:].tolist() == [[0, 2, 3], [1, 2, 3]]
        np.testing.assert_array_equal(file["attributes"], [*TABLES["sketch"][3:], *TABLES["image"][3:]])


def _annotation(change):
    def edit(root):
        path = root / "annotation/chairs_annotation.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
    return edit


def _write(name, content):
    return lambda root: (root / name).write_bytes(content)


@pytest.mark.parametrize(("damage", "message"), [
    (lambda root: shutil.rmtree(root / "annotation"), "no annotation/chairs_annotation.json in .*--from"),
    (_write("annotation/chairs_annotation.json", b"{"), "not the annotation of train, test"),
    (_annotation(lambda content: content.pop("test")), "not the annotation of train, test"),
    (_annotation(lambda content: content["train"]["images"].pop()), "a photo for every sketch, got 3 sketches, 2"),
    (_annotation(lambda content: content["train"]["triplets"].pop()), "train triplets.* got 2 sketches"),
    (_annotation(lambda content: content["train"]["triplets"].append([[0, 3]])), "train triplets.* got 4 sketches"),
    (_annotation(lambda content: content["test"]["triplets"][0].append([0, 2])), "expected photos 0 ... 1 for each"),
    (_annotation(lambda content: content["test"]["triplets"][0].append([0])), "not the annotation"),
    (lambda root: (root / "train/images/2.png").unlink(), "2.png.*no such file"),
    (lambda root: Image.new("L", (9, 9)).save(root / "test/sketches/4.png"),
     r"expected 256 x 256 pixels, got .*\(1, 9, 9\)"),
    (_write("annotation/chairs_annotation.json", b"[" * 100_000), "not the annotation of train, test"),
    (_write("annotation/chairs_annotation.json", b"\xff"), "not the annotation of train, test"),
    (_annotation(lambda content: content["test"]["triplets"][0].append([0, 10 ** 30])), "not the annotation"),
    (_annotation(lambda content: content["test"]["triplets"][0].append([0, 1 << 62])), "expected photos 0 ... 1"),
    (_annotation(lambda content: content["test"]["triplets"][0].append([0, 0.5])), "not the annotation"),
    (_annotation(lambda content: content["test"]["sketches"].__setitem__(0, 7)), "names of files as sketches"),
    (_annotation(lambda content: content["test"]["sketches"].__setitem__(0, "../../4.png")), "names of files in the"),
    (lambda root: scipy.io.savemat(root / "annotation/sketch_label.mat", {"labels": np.full((9, 4), 7)}),
     "sketch_label.mat: expected 0 and 1"),
    (lambda root: scipy.io.savemat(root / "annotation/sketch_label.mat", {"labels": np.zeros((1 << 20, 8))},
                                   do_compression=True), "what it unpacks to, at least, expected at most 50.0 MiB"),
    (_write("annotation/image_label.mat", b"text"), "image_label.mat: not a MATLAB file"),
    (lambda root: (root / "annotation/sketch_label.mat").unlink(), "sketch_label.mat.*no such file"),
    (lambda root: scipy.io.savemat(root / "annotation/sketch_label.mat", {"labels": np.zeros((4, 4))}),
     r"expected 4 attributes of 5 files or more, got shape \(4, 4\)"),
    (lambda root: scipy.io.savemat(root / "annotation/sketch_label.mat", {"a": np.zeros(2), "b": np.zeros(2)}),
     "expected one array, got 2"),
    (_annotation(lambda content: content["train"].update(dict.fromkeys(("sketches", "images"), ["1.png", "2.png"]))),
     "train split, expected 6, got 4"),
])
def test_damaged(folder, tmp_path, damage, message, monkeypatch):
    monkeypatch.setenv("BLOBNET_MAX_MEMORY", "50M")
    damage(folder / "chairs")
    with pytest.raises(DataError, match=message):
        import_set("qmul_chairs", tmp_path / "out", folder)
    assert list((tmp_path / "out").iterdir()) == []


def test_names_must_be_numbers(folder, tmp_path):
    (folder / "chairs/train/sketches/1.png").rename(folder / "chairs/train/sketches/one.png")
    _annotation(lambda content: content["train"]["sketches"].__setitem__(0, "one.png"))(folder / "chairs")
    with pytest.raises(DataError, match="names are numbers from 1 on, got one.png"):
        import_set("qmul_chairs", tmp_path / "out", folder)


def test_attributes_need_scipy(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingLibrary, match="pip install scipy"):
        import_set("qmul_chairs", tmp_path / "out", folder)
