"""Import of a set whose images have several labels, from a small stand-in of its files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blobnet.data.images.files import read_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.mean import read_mean
from blobnet.data.sets import import_set, miml_scene, set_paths
from blobnet.errors import DataError

ROWS = [(1, 0, 0, 0, 0), (0, 1, 1, 0, 0), (0, 0, 0, 0, 1), (1, 1, 0, 0, 0), (0, 0, 0, 1, 0)]
HEADING = "image,desert,mountains,sea,sunset,trees\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Five photos of one gray each, 10 for the first, 20 for the second …, and their list."""
    monkeypatch.setattr(miml_scene, "COUNTS", {"train": 3, "test": 2})
    for i in range(5):
        Image.fromarray(np.full((48, 80, 3), 10 * i + 10, np.uint8)).save(tmp_path / f"{i + 1}.png")
    lines = [f"{i + 1}.png,{','.join(map(str, row))}\n" for i, row in enumerate(ROWS)]
    (tmp_path / "labels.csv").write_text(HEADING + "".join(lines))
    return tmp_path


def test_lists_images_and_mean(folder):
    paths = import_set("miml_scene", folder / "out", folder)
    names = ["miml_scene_images", "miml_scene_mean.binaryproto", "miml_scene_test.txt", "miml_scene_train.txt"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(path.name for path in paths) == names
    assert paths == set_paths("miml_scene", folder / "out")
    seen, means = [], {}
    for split, count in (("train", 3), ("test", 2)):
        files, rows = read_image_list(folder / f"out/miml_scene_{split}.txt", 5)
        images = [read_image(folder / "out" / file) for file in files]
        assert [image.shape for image in images] == [(3, 64, 64)] * count
        photos = [int(image.max()) // 10 - 1 for image in images]
        assert [tuple(row) for row in rows] == [ROWS[photo] for photo in photos]
        means[split] = np.mean([image.mean() for image in images])
        seen += photos
    assert sorted(seen) == list(range(5))
    assert read_mean(paths[2]).mean() == pytest.approx(means["train"])


def test_a_second_import_does_nothing(folder):
    paths = import_set("miml_scene", folder / "out", folder)
    times = [path.stat().st_mtime_ns for path in paths]
    assert import_set("miml_scene", folder / "out", folder) == paths
    assert [path.stat().st_mtime_ns for path in paths] == times


def test_a_part_of_the_results_is_no_set(folder):
    paths = import_set("miml_scene", folder / "out", folder)
    paths[0].unlink()
    with pytest.raises(DataError, match="miml_scene_images already there, the others are missing; remove"):
        import_set("miml_scene", folder / "out", folder)


@pytest.mark.parametrize(("change", "message"), [
    (lambda text: text.replace("sea", "lake"), "expected 5 photos with the labels desert, .*, got 5 with .*lake"),
    (lambda text: text + "6.png,1,0,0,0,0\n", "got 6 with"),
    (lambda text: text.replace("3.png,0", "3.png,2"), "csv:4: expected a file and five times 0 or 1, got '3.png,2"),
    (lambda text: text.replace("3.png,0,", "3.png,"), "labels.csv:4: expected"),
    (lambda text: text.replace("3.png", "nowhere.png"), "nowhere.png: no such file"),
    (lambda text: text.replace("3.png", "../3.png"), "labels.csv:4: expected names of files in the folder"),
    (lambda text: text.replace("3.png", "/3.png"), "labels.csv:4: expected names of files in the folder"),
    (lambda text: "", "labels.csv: expected lines of a file"),
    (lambda text: text.replace("3.png", "\udcff"), "no such file"),
    (lambda text: text + "x" * (1 << 18), "labels.csv: expected lines of a file.*field limit")])
def test_damaged(folder, change, message):
    path = folder / "labels.csv"
    path.write_text(change(path.read_text()), errors="surrogateescape")
    with pytest.raises(DataError, match=message):
        import_set("miml_scene", folder / "out", folder)
    assert list((folder / "out").iterdir()) == []


def test_not_there(tmp_path):
    with pytest.raises(DataError, match="no labels.csv in"):
        import_set("miml_scene", tmp_path / "out", tmp_path)
