"""Lists of image files with labels, "path label" a line."""

from __future__ import annotations

import os
import re

import numpy as np

from blobnet.errors import DataError
from blobnet.proto.storage import require_file

LARGE = 1 << 31
LEADING_INTEGER = re.compile(r"\s*([-+]?\d+)")


def read_image_list(path: str | os.PathLike, label_num: int = 1,
                    empty_lines: bool = False) -> tuple[list[str], np.ndarray]:
    """The paths in the list at `path`, and their labels: integers (N,), or (N, label_num) if that is above 1.

    A path may have spaces in it. One label: the integer that begins the text after the last space, as Caffe takes it;
    0 if there is none, so a list without labels works. Several: the last `label_num` words of the line, integers all.
    DataError, with the line, for an empty list, for an empty line unless `empty_lines` (then its path is ""), for words
    that are no labels, and for labels of more than 32 bits.
    """
    text = require_file(path).read_text("utf-8", "surrogateescape")
    lines = text.removesuffix("\n").split("\n") if text else []
    if not lines:
        raise DataError(os.fspath(path), expected="lines of a path and a label", got="an empty file")
    paths, labels = [], []
    for number, line in enumerate(lines, 1):
        where = f"{os.fspath(path)}:{number}"
        if not line.strip() and not empty_lines:
            raise DataError(where, expected="a path and a label", got="an empty line")
        file, label = _one_label(line, where) if label_num == 1 else _several_labels(line, label_num, where)
        paths.append(file)
        labels.append(label)
    return paths, np.array(labels)


def _one_label(line: str, where: str) -> tuple[str, int]:
    file, space, rest = line.rpartition(" ")
    found = LEADING_INTEGER.match(rest)
    label = _label(found[1]) if found else 0
    if label is None:
        raise DataError(where, expected="a label below 2^31 in size", got=repr(rest[:40]))
    return file if space else line.rstrip("\r"), label


def _label(word: str) -> int | None:
    """The integer `word`; None if it is none, or too large for a label."""
    try:
        value = int(word)
    except ValueError:
        return None
    return value if -LARGE < value < LARGE else None


def _several_labels(line: str, count: int, where: str) -> tuple[str, list[int]]:
    words = line.rsplit(None, count)
    labels = [_label(word) for word in words[1:]]
    if len(labels) != count or None in labels:
        raise DataError(where, expected=f"a path and {count} integers below 2^31 in size (label_num)", got=repr(line))
    return words[0], labels
