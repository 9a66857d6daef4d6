"""Lists of image files: those with labels, "path label" a line, those with several paths or other words in a line,
those with paths alone, and the files of a folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from blobnet.data.images.encode import ENCODINGS, extension
from blobnet.errors import DataError
from blobnet.proto.storage import require_file

LARGE = 1 << 31
LEADING_INTEGER = re.compile(r"\s*([-+]?\d+)")


def read_image_list(path: str | os.PathLike, label_num: int = 1,
                    empty_lines: bool = False) -> tuple[list[str], np.ndarray]:
    """The paths in the list at `path`, and their labels: integers (N,), or (N, label_num) if that is above 1.

    A path may have spaces in it. One label: the integer that begins the text after the last space, as Caffe takes it;
    0 if there is none, so a list without labels works. Several: the last `label_num` words of the line, which must be
    integers. DataError, with the line, for an empty list, for an empty line unless `empty_lines` (then its path is ""),
    for words that are no labels, and for labels of more than 32 bits.
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


def read_number_list(path: str | os.PathLike, count: int = 0) -> tuple[list[str], np.ndarray]:
    """The paths in the list at `path`, and the numbers behind each: float64 (N, count).

    With a `count` of 0 the first line says how many there are: all words behind the first one. Numbers may have
    fractions. DataError, with the line, for another number of them, for words that are no finite numbers, and for an
    empty list; empty lines at the end do not count.
    """
    text = require_file(path).read_text("utf-8", "surrogateescape").rstrip()
    lines = text.split("\n")
    count = count or len(lines[0].split()) - 1
    if count < 1:
        raise DataError(os.fspath(path), expected="lines of a path and numbers", got=repr(lines[0][:80]))
    paths, rows = [], []
    for number, line in enumerate(lines, 1):
        words = line.rsplit(None, count)
        row = _numbers(words[1:])
        if len(row) != count:
            raise DataError(f"{os.fspath(path)}:{number}", expected=f"a path and {count} numbers", got=repr(line[:80]))
        paths.append(words[0])
        rows.append(row)
    return paths, np.array(rows)


def read_columns(path: str | os.PathLike, columns: str, more: bool = False) -> list[list[str]]:
    """The words in the lines of the list at `path`: as many as `columns` has, which says in words what they are.

    With `more` there may be others behind, which are dropped. Words have no spaces in them. DataError, with the line,
    for another number of words, and for an empty list; empty lines at the end do not count.
    """
    count, rows = len(columns.split()), []
    text = require_file(path).read_text("utf-8", "surrogateescape").rstrip()
    if not text:
        raise DataError(os.fspath(path), expected=f'lines "{columns}"', got="an empty file")
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if len(words) < count or len(words) > count and not more:
            raise DataError(f"{os.fspath(path)}:{number}", expected=f'"{columns}", without spaces in a name',
                            got=repr(line[:80]))
        rows.append(words[:count])
    return rows


def read_label(word: str, where: str, limit: int = LARGE) -> int:
    """The integer that `word` is, 0 ... limit - 1; DataError at `where` for anything else."""
    label = _label(word)
    if label is None or not 0 <= label < limit:
        raise DataError(where, expected=f"a whole number from 0 to {limit - 1}", got=repr(word[:40]))
    return label


def images_below(folder: str | os.PathLike) -> list[str]:
    """The paths, relative to `folder`, of all files in and below it that have the extension of an image, sorted."""
    if not Path(folder).is_dir():
        raise DataError(os.fspath(folder), "no such folder")
    found = [os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(os.fspath(folder))
             for name in names if extension(name) in ENCODINGS]
    if not found:
        raise DataError(os.fspath(folder), "no image in this folder and those below it")
    return sorted(found)


def images_listed(path: str | os.PathLike, folder: str | os.PathLike) -> list[str]:
    """The paths in the list at `path`, one a line, relative to `folder`. A label behind a path is ignored.

    A path may be absolute. In a line with spaces the path is the whole line if there is such a file, otherwise the line
    up to its last space if there is such a file, otherwise the line up to its first space. DataError for an empty list
    and for a path that leads out of `folder`.
    """
    found = []
    for number, line in enumerate(require_file(path).read_text("utf-8", "surrogateescape").splitlines(), 1):
        line = line.strip()
        if not line:
            continue
        names = [name for name in (line, line.rpartition(" ")[0]) if name]
        there = [name for name in names if os.path.isfile(os.path.join(folder, name))]
        name = os.path.relpath(os.path.join(folder, there[0] if there else line.split()[0]), folder)
        if name.split(os.sep)[0] == os.pardir:
            raise DataError(f"{os.fspath(path)}:{number}", expected=f"a path in the folder {os.fspath(folder)!r}",
                            got=repr(line))
        found.append(name)
    if not found:
        raise DataError(os.fspath(path), expected="paths of images, one a line", got="an empty list")
    return found


def _one_label(line: str, where: str) -> tuple[str, int]:
    file, space, rest = line.rpartition(" ")
    found = LEADING_INTEGER.match(rest)
    label = _label(found[1]) if found else 0
    if label is None:
        raise DataError(where, expected="a label below 2^31 in size", got=repr(rest[:40]))
    return file if space else line.rstrip("\r"), label


def _label(word: str) -> int | None:
    """The integer that `word` is; None if it is no integer or too large for a label."""
    try:
        value = int(word)
    except ValueError:
        return None
    return value if -LARGE < value < LARGE else None


def _numbers(words: list[str]) -> list[float]:
    """The finite numbers that the words are; none if one of them is no such number."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        return []
    return values if np.isfinite(values).all() else []


def _several_labels(line: str, count: int, where: str) -> tuple[str, list[int]]:
    words = line.rsplit(None, count)
    labels = [_label(word) for word in words[1:]]
    if len(labels) != count or None in labels:
        raise DataError(where, expected=f"a path and {count} integers below 2^31 in size (label_num)", got=repr(line))
    return words[0], labels
