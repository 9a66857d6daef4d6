"""`blobnet index` from an empty folder on."""

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.hashing.codes import Codes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three codes files of 10 bits: a.npz, b.npz of other classes, and other.npz of another net."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(6)
    for name, net, labels in [("a", "", {"labels": [0, 1, 0, 1], "classes": ["cat", "dog"]}),
                              ("b", "", {"labels": [0, 1, 0, 1], "classes": ["emu", "cat"]}), ("other", "n", {})]:
        ids = [f"{name}/{i}.jpg" for i in range(4)]
        Codes.from_values(rng.normal(size=(4, 10)), ids=ids, net=net, **labels).save(f"{name}.npz")
    Codes.from_bits(np.eye(2), ids=["x", "x"]).save("twice.npz")
    return tmp_path


def test_an_index_grows_and_shrinks(folder, capsys):
    assert main(["index", "add", "all.npz", "a.npz", "b.npz"]) == 0
    assert main(["index", "remove", "all.npz", "a/0.jpg", "b/[23].jpg"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "all.npz: 8 items, 8 more than before", "all.npz: 5 items, 3 removed"]
    index, parts = Codes.load("all.npz"), [Codes.load("a.npz"), Codes.load("b.npz")]
    assert index.ids.tolist() == ["a/1.jpg", "a/2.jpg", "a/3.jpg", "b/0.jpg", "b/1.jpg"]
    assert np.array_equal(index.values, np.concatenate([parts[0].values[1:], parts[1].values[:2]]))
    assert [index.label_names(i) for i in range(5)] == [["dog"], ["cat"], ["dog"], ["emu"], ["cat"]]
    assert main(["index", "add", "--replace", "all.npz", "b.npz"]) == 0
    assert "all.npz: 7 items, 2 more than before" in capsys.readouterr().out


def test_one_class_is_given_to_all_that_is_added(folder):
    assert main("index add all.npz a.npz".split()) == 0
    assert main("index add all.npz b.npz --class emu".split()) == 0
    index = Codes.load("all.npz")
    assert [index.label_names(i) for i in (0, 1, 4, 5, 7)] == [["cat"], ["dog"], ["emu"], ["emu"], ["emu"]]


def test_an_index_says_what_it_holds(folder, capsys):
    assert main(["index", "info", "a.npz"]) == 0
    out, ones = capsys.readouterr().out, (Codes.load("a.npz").values >= 0).mean(axis=0)
    assert "items    4, 4 different codes" in out and "bits     10, bit = value >= 0" in out
    assert f"ones     {ones.mean():.1%} of the bits, from {ones.min():.1%} (bit {ones.argmin()})" in out
    assert "each bit " + " ".join(f"{share:4.0%}" for share in ones) in out
    assert out.splitlines()[-2].split() == ["cat", "2", "50.0%"]


@pytest.mark.parametrize("line, words", [
    ("index add a.npz b.npz other.npz", "other.npz: codes: made in another way than the index, expected net ''"),
    ("index add a.npz b.npz --class emu --class cat", "b.npz: codes: expected one class"),
    ("index add new.npz other.npz a.npz", "a.npz: codes: made in another way"),
    ("index add new.npz twice.npz", "twice.npz: codes: the codes have the id 'x' 2 times"),
    ("index remove a.npz a/1.jpg a/7.jpg", "no item 'a/7.jpg'"),
])
def test_after_an_error_nothing_has_changed(folder, capsys, line, words):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(line.split()) == 1
    assert words in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
