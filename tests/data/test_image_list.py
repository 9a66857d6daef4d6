"""Lists of image files."""

from __future__ import annotations

import re

import numpy as np
import pytest

from blobnet.data.batches.images import ImageBatches
from blobnet.data.images.lists import read_image_list
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
