"""Lists of image files."""

from __future__ import annotations

import re

import numpy as np
import pytest

from blobnet.data.batches.images import ImageBatches
from blobnet.data.images.lists import read_columns, read_image_list, read_number_list
from blobnet.errors import DataError


@pytest.fixture
def read(tmp_path):
    def read(text, label_num=1):
        (tmp_path / "list.txt").write_bytes(text.encode())
        return read_image_list(tmp_path / "list.txt", label_num)
    return read


def test_empty_lines_where_they_may_be(tmp_path):
    (tmp_path / "list.txt").write_text("a 1\n\nb 2\n")
    paths, labels = read_image_list(tmp_path / "list.txt", empty_lines=True)
    assert paths == ["a", "", "b"] and labels.tolist() == [1, 0, 2]


@pytest.mark.parametrize("line, path, label", [
    ("a.jpg 3", "a.jpg", 3), ("my pictures/a b.jpg 12", "my pictures/a b.jpg", 12), ("a.jpg -1", "a.jpg", -1),
    ("a.jpg  7", "a.jpg ", 7), ("a.jpg 3\r", "a.jpg", 3), ("a.jpg 2.9", "a.jpg", 2), ("a.jpg x", "a.jpg", 0),
    ("a.jpg", "a.jpg", 0), ("12.jpg", "12.jpg", 12), ("a.jpg\r", "a.jpg", 0)])
def test_one_label(read, line, path, label):
    paths, labels = read(f"{line}\nz 1\n")
    assert paths == [path, "z"] and labels.tolist() == [label, 1]


def test_several_labels(read):
    paths, labels = read("a b.jpg 1 0  1\nc.jpg 0 0 -2", 3)
    assert paths == ["a b.jpg", "c.jpg"]
    np.testing.assert_array_equal(labels, [[1, 0, 1], [0, 0, -2]])


@pytest.mark.parametrize("text, label_num, message", [
    ("", 1, "list.txt: expected lines of a path and a label, got an empty file"),
    ("a 1\n\nb 2\n", 1, "list.txt:2: expected a path and a label, got an empty line"),
    ("a 1 2\nb 2\n", 2, "list.txt:2: expected a path and 2 integers below 2^31 in size (label_num), got 'b 2'"),
    ("a 1\nb 2147483648", 1, "list.txt:2: expected a label below 2^31 in size, got '2147483648'"),
    ("a 1\na " + "9" * 5000, 1, "list.txt:2: expected a label below 2^31 in size"),
    ("a 1 2\na 1 -" + "9" * 30, 2, "list.txt:2: expected a path and 2 integers below 2^31"),
    ("a 1 x", 2, "list.txt:1: expected a path and 2 integers"), ("1 2", 2, "got '1 2'")])
def test_errors(read, text, label_num, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(text, label_num)


def test_missing(tmp_path):
    (tmp_path / "train.txt").write_text("")
    with pytest.raises(DataError, match="did you mean 'train.txt'"):
        read_image_list(tmp_path / "trian.txt")


@pytest.mark.parametrize("labels", [[0, 2 ** 24], [[1, 0], [0, -2 ** 24]]])
def test_labels_that_float32_may_round(labels):
    with pytest.raises(DataError, match="^l.txt:2: expected a label below 16777216 .* got 16777216; number the"):
        ImageBatches(["a", "b"], np.array(labels), None, 2, np.float32, origin="l.txt")
    ImageBatches(["a", "b"], np.array(labels), None, 2, np.float64, origin="l.txt")


# Lists with other columns

def test_columns(tmp_path):
    (tmp_path / "list.txt").write_text("a.png\tb.png\r\n  c.png   d.png  \n\n\n")
    assert read_columns(tmp_path / "list.txt", "image label-image") == [["a.png", "b.png"], ["c.png", "d.png"]]
    assert read_columns(tmp_path / "list.txt", "image", more=True) == [["a.png"], ["c.png"]]


@pytest.mark.parametrize("text, message", [
    ("", 'list.txt: expected lines "image label-image", got an empty file'), ("\n \n", "got an empty file"),
    ("a b\nc\n", "list.txt:2: expected \"image label-image\", without spaces in a name, got 'c'"),
    ("a b\n\nc d\n", "list.txt:2: expected"), ("a b c\n", "list.txt:1: expected")])
def test_wrong_columns(tmp_path, text, message):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        read_columns(tmp_path / "list.txt", "image label-image")


def test_numbers(tmp_path):
    (tmp_path / "list.txt").write_text("a.png 0.5 -3\nmy pictures/b.png 1e2 7\n\n")
    paths, numbers = read_number_list(tmp_path / "list.txt", 2)
    assert paths == ["a.png", "my pictures/b.png"] and numbers.tolist() == [[0.5, -3], [100, 7]]
    (tmp_path / "list.txt").write_text("a.png 0.5 -3\nb.png 1e2 7\n")
    assert read_number_list(tmp_path / "list.txt")[1].tolist() == [[0.5, -3], [100, 7]]


@pytest.mark.parametrize("text, count, message", [
    ("", 0, "list.txt: expected lines of a path and numbers, got ''"), ("a\n", 0, "got 'a'"),
    ("a 1 2\nb 3\n", 0, "list.txt:2: expected a path and 2 numbers, got 'b 3'"), ("a 1\nb x", 1, "got 'b x'"),
    ("a 1\n\nb 1", 1, "list.txt:2: expected a path and 1 numbers, got ''"), ("a nan", 1, "got 'a nan'"),
    ("a 1 1e999", 2, "got 'a 1 1e999'"), ("a 1", 4000000000, "expected a path and 4000000000 numbers")])
def test_wrong_numbers(tmp_path, text, count, message):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        read_number_list(tmp_path / "list.txt", count)
