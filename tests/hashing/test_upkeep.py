"""Codes that are kept up to date."""

import numpy as np
import pytest

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.packing import unpack
from blobnet.hashing.upkeep import add, contents, merge_labels, remove, require_ids, take, with_classes


def codes(names, seed=0, **fields) -> Codes:
    """A code of 11 bits for each id."""
    values = np.random.default_rng(seed).normal(size=(len(names), 11))
    made_by = {"ids": names, "net": "a.prototxt", "weights": "a.caffemodel", "blob": "u"}
    return Codes.from_values(values, **made_by | fields)


def test_added_items_come_after_those_that_are_there():
    base, more = codes(["a", "b"], labels=[0, 1]), codes(["a long name"], 1, labels=[1])
    both = add(base, more)
    assert both.ids.tolist() == ["a", "b", "a long name"] and both.labels.tolist() == [0, 1, 1]
    assert np.array_equal(both.values, np.concatenate([base.values, more.values]))
    assert np.array_equal(both.packed, Codes.from_values(both.values).packed)
    assert (both.net, both.weights, both.blob, both.threshold) == ("a.prototxt", "a.caffemodel", "u", 0.0)


def test_replaced_items_come_last():
    base, more = codes(["a", "b", "c"]), codes(["b", "d"], 1)
    both = add(base, more, replacing=True)
    assert both.ids.tolist() == ["a", "c", "b", "d"]
    assert np.array_equal(both.values, np.concatenate([base.values[[0, 2]], more.values]))


def test_files_are_the_same_by_their_whole_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(add(codes(["a"]), codes(["b"], net=str(tmp_path / "a.prototxt"), weights="./a.caffemodel"))) == 2


def test_values_are_left_out_where_the_index_has_none():
    bare = Codes(codes(["a"]).packed, 11, threshold=0.0, ids=["a"], net="a.prototxt", weights="a.caffemodel", blob="u")
    assert add(bare, codes(["b"])).values is None
    with pytest.raises(DataError, match="expected real values, as the index has them, got bits alone"):
        add(codes(["b"]), bare)


@pytest.mark.parametrize("base, more, words", [
    (codes(["a"]), codes(["b"], net="b.prototxt", blob="v"),
     "another way than the index, expected net 'a.prototxt', blob 'u', got net 'b.prototxt', blob 'v'"),
    (codes(["a"]), codes(["b"], threshold=0.5), "expected threshold 0.0, got threshold 0.5"),
    (codes(["a"]), codes(["b"], weights=""), "expected weights 'a.caffemodel', got weights ''"),
    (codes(["a"]), codes(["b"], block_size=11), "expected threshold 0.0, block_size None, got"),
    (codes(["a"]), Codes.from_bits(np.ones((1, 12)), ids=["b"]), "expected bits 11"),
    (codes(["a"]), codes(["b"], ids=None), "the codes to add have no ids"),
    (codes(["a"], ids=None), codes(["b"]), "the index has no ids"),
    (codes(["a"]), codes([7]), "expected ids such as 'a', got 7"),
    (codes(["a", "b"]), codes(["b", "c"]), "1 of 2 ids are in the index already, such as 'b'; --replace"),
    (codes(["a"]), codes(["b", "b"]), "the codes to add have the id 'b' 2 times"),
    (codes(["a"], labels=[0]), codes(["b"]), "expected class numbers .*, got no labels; --class"),
    (codes(["a"]), codes(["b"], labels=[0]), "expected no labels, as the index has, got class numbers without names$"),
    (codes(["a"], labels=[0], classes=["x"]), codes(["b"], labels=[0]), "with names, as the index has, got .* without"),
    (codes(["a"], labels=[[0, 1]]), codes(["b"], labels=[[0, 1, 1]]), "without names, 2 each.*without names, 3 each"),
    (codes(["a"], labels=[[0, 1]]), codes(["b"], labels=[0]), "rows of labels.*got class numbers"),
])
def test_codes_that_cannot_be_compared(base, more, words):
    with pytest.raises(DataError, match=words):
        add(base, more)


def test_classes_are_merged_by_name():
    base = codes(["a", "b"], labels=[0, 1], classes=["sea", "sand"])
    more = codes(["c", "d", "e"], labels=[0, 1, 2], classes=["sun", "sea", "none"])
    both = add(base, more)
    assert both.classes == ("sea", "sand", "sun", "none")
    assert [both.label_names(i) for i in range(5)] == [["sea"], ["sand"], ["sun"], ["sea"], ["none"]]


def test_rows_of_labels_are_merged_by_name():
    base = codes(["a", "b"], labels=[[1, 0], [1, 1]], classes=["sea", "sand"])
    more = codes(["c", "d"], labels=[[1, 1, 0], [0, 0, 1]], classes=["sun", "sea", "none"])
    both = add(base, more)
    assert both.labels.shape == (4, 4)
    assert [set(both.label_names(i)) for i in range(4)] == [{"sea"}, {"sea", "sand"}, {"sun", "sea"}, {"none"}]


@pytest.mark.parametrize("of_base, of_more, expected", [
    ({}, {"classes": ["x"]}, ("x",)), ({"classes": ["y"]}, {}, ("y",)),
    ({"classes": ["y"]}, {"classes": ["x", "y"]}, ("y", "x")), ({}, {}, None)])
def test_names_of_classes_without_labels(of_base, of_more, expected):
    assert merge_labels(codes(["a"], **of_base), codes(["b"], **of_more)) == (expected, None, None)


@pytest.mark.parametrize("base, names, expected", [
    ({"labels": [0], "classes": ["x"]}, ["y"], [["x"], ["y"], ["y"]]),
    ({"labels": [0], "classes": ["x"]}, ["x"], [["x"], ["x"], ["x"]]),
    ({"labels": [[1, 0]], "classes": ["x", "z"]}, ["y"], [["x"], ["y"], ["y"]]),
    ({"labels": [[0, 1]], "classes": ["x", "z"]}, ["y", "x"], [["z"], ["x", "y"], ["x", "y"]])])
def test_one_class_for_all_that_is_added(base, names, expected):
    base = codes(["a"], **base)
    both = add(base, with_classes(codes(["b", "c"]), names, base))
    assert [both.label_names(i) for i in range(3)] == expected


def test_several_classes_want_rows():
    with pytest.raises(DataError, match="expected one class, as the items of the index have, got x, y"):
        with_classes(codes(["b"]), ["x", "y"], codes(["a"], labels=[0], classes=["x"]))


@pytest.mark.parametrize("patterns, left", [
    (["c/1.jpg"], ["a/1.jpg", "a/2.jpg", "c/[2].jpg"]), (["a/*"], ["c/1.jpg", "c/[2].jpg"]),
    (["*/1.jpg", "a/2.jpg"], ["c/[2].jpg"]), (["c/[2].jpg"], ["a/1.jpg", "a/2.jpg", "c/1.jpg"]), (["*"], [])])
def test_items_are_removed_by_id_or_pattern(patterns, left):
    base = codes(["a/1.jpg", "a/2.jpg", "c/1.jpg", "c/[2].jpg"], labels=[3, 4, 5, 6])
    after = remove(base, patterns)
    places = [base.ids.tolist().index(name) for name in left]
    assert after.ids.tolist() == left and np.array_equal(after.values, base.values[places])
    assert after.labels.tolist() == base.labels[places].tolist()


@pytest.mark.parametrize("patterns, words", [
    (["a/1.jgp"], "no item 'a/1.jgp' in the index; did you mean 'a/1.jpg'"), (["a/1.jpg", "b/*"], "no item 'b/\\*'")])
def test_what_is_not_there_is_not_removed(patterns, words):
    with pytest.raises(DataError, match=words):
        remove(codes(["a/1.jpg", "a/2.jpg"]), patterns)


def test_numbers_as_ids():
    assert remove(codes([7, 8]), ["8"]).ids.tolist() == [7] and add(codes([7]), codes([9])).ids.tolist() == [7, 9]
    with pytest.raises(DataError, match="the codes have the id '7' 2 times"):
        require_ids(codes([7, 8, 7]))


def test_an_empty_index_grows():
    empty = remove(codes(["a"], labels=[0], classes=["x"]), ["a"])
    assert add(empty, codes(["b"], labels=[0], classes=["y"])).label_names(0) == ["y"]
    assert contents(empty).distinct == 0 and contents(empty).ones.tolist() == [0] * 11


@pytest.mark.parametrize("bits", [11, 80])
def test_contents(bits):
    values = np.random.default_rng(3).normal(size=(40, bits))
    values[[5, 9]] = values[2]
    found = contents(Codes.from_values(values, labels=np.arange(40) % 3 * 2, ids=np.arange(40)))
    assert found.distinct == 38 and found.classes == [("0", 14), ("2", 13), ("4", 13)]
    np.testing.assert_allclose(found.ones, (values >= 0).mean(axis=0), rtol=1e-15)


def test_codes_that_differ_in_one_bit_are_different():
    assert contents(Codes.from_bits(np.eye(130))).distinct == 130


def test_contents_of_rows_of_labels():
    rows = codes(["a", "b", "c"], labels=[[1, 0], [1, 1], [0, 0]], classes=["sea", "sand"])
    assert contents(rows).classes == [("sea", 2), ("sand", 1)]


def test_take_keeps_what_belongs_to_an_item():
    base = codes(["a", "b", "c"], labels=[0, 1, 2], classes=["x", "y", "z"])
    some = take(base, np.array([2, 0]))
    assert some.ids.tolist() == ["c", "a"] and some.labels.tolist() == [2, 0] and some.classes == ("x", "y", "z")
    assert np.array_equal(unpack(some.packed, 11), (base.values[[2, 0]] >= 0))
