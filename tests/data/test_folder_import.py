"""Import of a user's folder of photos: classes by folders or by a table, splits, copies, and what users have."""

import json

import numpy as np
import pytest
from PIL import Image

from blobnet.cli import main
from blobnet.data.images.files import read_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.mean import read_mean
from blobnet.data.images.photos import shrink
from blobnet.data.sets import folder as module
from blobnet.data.sets.folder import import_folder
from blobnet.data.sets.imported import TARGETS, read_import
from blobnet.data.sets.labelled import photos_by_folder, photos_by_table, split
from blobnet.errors import DataError

COUNTS = {"sea": 10, "Ärger": 5, "trees and bushes": 5}


def photo(path, seed=0, size=(12, 16), **options):
    """A random photo (H, W) at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """Twenty photos of three classes, PNG and JPEG, one of them two folders down, and files that are none."""
    folder, n = tmp_path / "photos", 0
    for name, count in COUNTS.items():
        for i in range(count):
            n += 1
            photo(folder / name / f"{'sub/' * (i == 0)}{i} .{('png', 'JPG')[i % 2]}", n)
    (folder / "notes.txt").write_text("no photo")
    (folder / ".cache").mkdir()
    photo(folder / "sea" / "._1.png", 99)
    return folder


def lists(out):
    return {part: read_image_list(out / f"{part}.txt") for part in ("train", "test")}


def test_a_folder_a_class(photos, tmp_path):
    out = tmp_path / "data" / "out"
    out.parent.mkdir()
    (photos / "sea" / "12.heic").write_bytes(b"")
    assert import_folder(photos, out, size=(6, 8)) == ["1 files .heic, which are not read",
                                                       "1 files .txt, which are not read"]
    assert sorted(path.name for path in out.iterdir()) == sorted(TARGETS)
    assert (out / "classes.txt").read_text("utf-8") == "sea\ntrees and bushes\nÄrger\n"
    names = list(COUNTS)
    order = ["sea", "trees and bushes", "Ärger"]
    found = lists(out)
    assert not set(found["train"][0]) & set(found["test"][0])
    for part, share in (("train", 0.8), ("test", 0.2)):
        paths, labels = found[part]
        assert np.bincount(labels).tolist() == [round(share * COUNTS[name]) for name in order]
        for path, label in zip(paths, labels):
            original = photos / path.removeprefix("images/")
            assert original.parts[len(photos.parts)] == order[label] in names
            wanted = shrink(read_image(original), 6, 8)
            got = read_image(out / path)
            assert np.abs(got.astype(int) - wanted).mean() <= (0 if path.endswith("png") else 5)
    images = np.stack([read_image(out / path) for path in found["train"][0]])
    np.testing.assert_allclose(read_mean(out / "mean.binaryproto"), images.mean(axis=0), rtol=1e-6)
    assert len(list((out / "images").rglob("*.*"))) == 20
    about = read_import(out)
    assert (about.size, about.color, about.several, about.names, about.train, about.test) == (
        (6, 8), True, False, order, 16, 4)


def test_nothing_is_done_again_and_other_settings_are_refused(photos, tmp_path):
    out = tmp_path / "out"
    import_folder(photos, out, size=(6, 8))
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert import_folder(photos, out, size=(6, 8)) == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    with pytest.raises(DataError, match=r"another way, expected seed 2, got seed 1"):
        import_folder(photos, out, size=(6, 8), seed=2)
    (out / "import.json").write_text("[3")
    with pytest.raises(DataError, match="got folder None"):
        import_folder(photos, out, size=(6, 8))
    (out / "mean.binaryproto").unlink()
    with pytest.raises(DataError, match="the others are missing"):
        import_folder(photos, out, size=(6, 8))


def test_an_interrupted_import_leaves_nothing(photos, tmp_path, monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module, "mean_image", stop)
        with pytest.raises(KeyboardInterrupt):
            import_folder(photos, out)
    assert list(out.iterdir()) == []
    import_folder(photos, out)


def test_the_seed_chooses_the_test_photos(photos, tmp_path):
    chosen = []
    for seed in (1, 1, 2):
        import_folder(photos, tmp_path / f"{len(chosen)}", seed=seed, test=0.4)
        chosen.append(lists(tmp_path / f"{len(chosen)}")["test"][0])
    assert chosen[0] == chosen[1] != chosen[2] and len(chosen[0]) == 8


def test_photos_of_the_right_size_are_copied_and_turned_ones_are_not(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    for i in range(4):
        photo(tmp_path / "photos" / "ab"[i % 2] / f"{i}.jpg", i, (8, 8), exif=exif if i == 3 else b"")
    import_folder(tmp_path / "photos", tmp_path / "out", size=(8, 8), test=0.5)
    for i in range(4):
        name = f"{'ab'[i % 2]}/{i}.jpg"
        before, after = (tmp_path / "photos" / name), (tmp_path / "out" / "images" / name)
        assert (before.read_bytes() == after.read_bytes()) == (i < 3)
    upside_down = read_image(before)[:, ::-1, ::-1].astype(int)
    assert np.abs(read_image(after) - upside_down).mean() < 3
    import_folder(tmp_path / "photos", tmp_path / "gray", size=(8, 8), test=0.5, color=False)
    assert read_mean(tmp_path / "gray" / "mean.binaryproto").shape == (1, 8, 8)
    assert not read_import(tmp_path / "gray").color


def test_a_set_that_is_split_already(tmp_path):
    for i in range(6):
        photo(tmp_path / "photos" / ("train", "val")[i // 4] / "ab"[i % 2] / f"{i}.png", i)
    import_folder(tmp_path / "photos", tmp_path / "out")
    assert sorted(lists(tmp_path / "out")["test"][0]) == ["images/val/a/4.png", "images/val/b/5.png"]
    photo(tmp_path / "photos" / "test" / "a" / "7.png", 7)
    with pytest.raises(DataError, match="expected the folders train and test, got test, train, val"):
        photos_by_folder(tmp_path / "photos")


def test_damaged_photos_and_copies(photos, tmp_path):
    torn = photos / "sea" / "torn.jpg"
    torn.write_bytes((photos / "sea" / "1 .JPG").read_bytes()[:300])
    (photos / "sea" / "empty.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"(?s)2 cannot be taken.*empty.png.*torn.jpg.*give --leave-out"):
        import_folder(photos, tmp_path / "out")
    same = photos / "sea" / "2 .png"
    (photos / "sea" / "twice.png").write_bytes(same.read_bytes())
    notes = import_folder(photos, tmp_path / "out", leave_out=True)
    assert len(notes) == 4 and notes[2] == "sea/twice.png: a copy of sea/2 .png"
    listed = {path for paths, _ in lists(tmp_path / "out").values() for path in paths}
    assert len(listed) == 20 == len(list((tmp_path / "out" / "images").rglob("*.*")))
    (photos / "Ärger" / "two of a kind.png").write_bytes(same.read_bytes())
    with pytest.raises(DataError, match="3 cannot be taken"):
        import_folder(photos, tmp_path / "other")
    notes = import_folder(photos, tmp_path / "other", leave_out=True)
    assert "with other labels" in notes[-2]
    listed = {path for paths, _ in lists(tmp_path / "other").values() for path in paths}
    assert len(listed) == 19 and "images/sea/2 .png" not in listed
    assert not (tmp_path / "other/images/sea/2 .png").exists()


@pytest.mark.parametrize("make, says", [
    (lambda folder: photo(folder / "loose.png"), "loose.png is in no folder of a class, got 1 such photos"),
    (lambda folder: (folder / "rocks").mkdir(), "folders without a photo, got rocks"),
    (lambda folder: photo(folder / "rocks" / "a.png", 50), "expected two photos of each label.*got 'rocks' has 1"),
    (lambda folder: photo(folder / "sea" / "a\nb.png", 50), "a line end in its name")])
def test_folders_that_are_no_set(photos, make, says, tmp_path):
    make(photos)
    with pytest.raises(DataError, match=says):
        import_folder(photos, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_class_alone_and_places_that_cannot_be(tmp_path, photos):
    photo(tmp_path / "one" / "a" / "1.png")
    with pytest.raises(DataError, match="expected two classes, a folder each, got a alone"):
        import_folder(tmp_path / "one", tmp_path / "out")
    with pytest.raises(DataError, match="is in the folder of the photos"):
        import_folder(photos, photos / "out")
    for options in ({"test": 0}, {"test": 1.0}, {"size": (0, 8)}, {"seed": -1}):
        with pytest.raises(DataError, match="expected a size above 0"):
            import_folder(photos, tmp_path / "out", **options)


def table(folder, text, encoding="utf-8"):
    for i in range(6):
        photo(folder / f"{i}.png", i)
    (folder / "labels.csv").write_text(text, encoding)
    return folder / "labels.csv"


COLUMNS = "image,sea,trees\n0.png,1,0\n1.png,1,1\n2.png,0,1\n3.png,1,1\n\n4.png,1,1\n5.png,1,0\n"
NAMED = '\N{BYTE ORDER MARK}image\tlabel\r\n0.png\tsea\r\n1.png\ttrees; sea\r\n2.png\ttrees\r\n3.png\t"sea;trees"\r\n' \
        "4.png\tsea;trees\r\n5.png\tsea"


@pytest.mark.parametrize("text", [COLUMNS, NAMED])
def test_a_table_of_several_labels(tmp_path, text):
    folder, out = tmp_path / "photos", tmp_path / "out"
    found = photos_by_table(folder, table(folder, text))
    assert found.names == ["sea", "trees"] and found.paths == [f"{i}.png" for i in range(6)]
    assert found.labels.tolist() == [[1, 0], [1, 1], [0, 1], [1, 1], [1, 1], [1, 0]]
    photo(folder / "6.png", 6)
    assert import_folder(folder, out, labels=folder / "labels.csv", test=0.5) == [
        "1 photos that the table does not name"]
    rows = {path: row.tolist() for part in ("train", "test")
            for path, row in zip(*read_image_list(out / f"{part}.txt", 2))}
    assert rows == {f"images/{i}.png": row for i, row in enumerate(found.labels.tolist())}
    assert read_import(out).several


def test_a_table_of_classes(tmp_path):
    lines = "".join(f"{i}.png,{10 - i % 2}\n" for i in range(6))
    found = photos_by_table(tmp_path, table(tmp_path, "image,label\n" + lines))
    assert found.names == ["9", "10"] and found.labels.tolist() == [1, 0] * 3


@pytest.mark.parametrize("text, says", [
    ("", "expected \"image,label\" over lines"), ("image\n0.png\n", "expected \"image,label\" over lines"),
    ("image,label\n", "expected \"image,label\" over lines"), ("image,a,b\n0.png,1\n", ":2: expected 3 fields"),
    ("image,a,b\n0.png,1,2\n", ":2: expected 2 times 0 or 1"), ("image,a,b\n0.png,0,0\n", "2: a photo without a label"),
    ("image,label\n0.png,;\n", ":2: a photo without a label"), ("image,a,a\n0.png,1,1\n", "different names of labels"),
    ("image,label\n0.png,a\n1.png,b\n0.png,b\n", "'0.png' stands in the lines 2 and 4"),
    ("image,label\n0.png,a\n9.png,a\n", ":3: no file '9.png'"), ("image,label\n../0.png,a\n", "names of files in the"),
    ("image,label\n0.png,a\n1.png,a\n2.png,b\n", "'b' has 1")])
def test_tables_that_are_none(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        photos_by_table(tmp_path, table(tmp_path, text))


def test_a_table_in_another_encoding(tmp_path):
    with pytest.raises(DataError, match="expected CSV in UTF-8"):
        photos_by_table(tmp_path, table(tmp_path, "image,label\n0.png,Ä\n", encoding="latin-1"))


@pytest.mark.parametrize("sizes, share", [([100, 50, 25], 0.2), ([7, 7, 7, 7], 0.25), ([2, 2, 2], 0.5), ([9, 1], 0.3),
                                          ([1] * 40 + [50, 60], 0.2)])
def test_every_class_is_split_alike(sizes, share):
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(len(sizes)), sizes))
    chosen = split(labels, share)
    for label, size in enumerate(sizes):
        count = chosen[labels == label].sum()
        assert abs(count - share * size) < 1 and (count < size)
    rows = np.eye(len(sizes), dtype=np.uint8)[labels]
    assert split(rows, share).sum() == chosen.sum()
    assert len(sizes) > 9 or abs(chosen.sum() - share * sum(sizes)) < 1


@pytest.mark.parametrize("content", ["", "{}", '{"size": [0, 3], "color": true, "several": false}', "[" * 10000])
def test_a_damaged_note(photos, tmp_path, content):
    import_folder(photos, tmp_path / "out")
    (tmp_path / "out" / "import.json").write_text(content)
    with pytest.raises(DataError, match="import.json"):
        read_import(tmp_path / "out")
    with pytest.raises(DataError, match="got no train.txt"):
        read_import(photos)


def test_the_command(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "import", "photos/", "--size", "8x6"]) == 0
    assert capsys.readouterr().out == ("left out: 1 files .txt, which are not read\n"
                                       "data/photos: 16 training and 4 test photos, 3 classes\n")
    assert json.loads((tmp_path / "data/photos/import.json").read_text())["size"] == [6, 8]
    assert main(["data", "import", "photos", "--size", "8x6"]) == 0
    assert capsys.readouterr().out.startswith("data/photos is there already: 16")
    for words, says in ((["photos", "--download"], "--download: does not go with a folder of photos"),
                        (["digits", "--gray"], "--gray: does not go with a known set"),
                        (["digit"], "did you mean 'digits'?; nor is there such a folder")):
        assert main(["data", "import", *words]) == 1
        assert says in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["data", "import", "photos", "--size", "8x"])
    assert "expected a size such as 64 or 80x60" in capsys.readouterr().err
