"""Which photos a folder of a user has, and their labels: a folder a class, or a table of them; test photos of these."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blobnet.data.images.lists import images_below
from blobnet.data.images.photos import is_hidden
from blobnet.data.sets.files import inside
from blobnet.errors import FEW, DataError
from blobnet.proto.storage import require_file

HEADINGS = '"image,label" over lines such as "a.jpg,sea;trees", or "image,sea,trees" over lines such as "a.jpg,1,1"'
PARTS = ("train", "test", "val")  # folders of a set that is split already
BETWEEN = ";"                     # the labels in a field of a table


@dataclass(frozen=True)
class Labelled:
    """Photos of a folder with their labels.

    paths: relative to the folder; labels: class numbers (N,), or rows (N, L) of 0 and 1; names: of the classes or of
    the columns; parts: "train" or "test" of each photo, None where nobody said so.
    """

    paths: list[str]
    labels: np.ndarray
    names: list[str]
    parts: list[str] | None = None

    def __post_init__(self):
        """DataError for classes of one photo or none, and for names that do not fit into a list."""
        rows = self.labels if self.labels.ndim > 1 else self.labels[:, None] == np.arange(len(self.names))
        few = [f"{name!r} has {count}" for name, count in zip(self.names, rows.sum(axis=0).tolist()) if count < 2]
        if few:
            raise DataError("photos", expected="two photos of each label, to learn from and to test with",
                            got=", ".join(few[:FEW]))
        for path in self.paths:
            if "\n" in path or "\r" in path:
                raise DataError(f"photo {path!r}", "a line end in its name", hint="a list has a line for each photo")

    def take(self, kept: np.ndarray) -> Labelled:
        """Only the photos at the places `kept`."""
        return Labelled([self.paths[i] for i in kept.tolist()], self.labels[kept], self.names,
                        None if self.parts is None else [self.parts[i] for i in kept.tolist()])


def photos_by_folder(folder: str | os.PathLike) -> Labelled:
    """The photos of `folder`, of which every folder in it is a class; classes and photos sorted.

    Numbers as names are sorted by size. If the folder has but train and test (or val) in it, the classes are the
    folders in these. DataError for photos outside of classes, for classes without photos, and for fewer than two.
    """
    where = os.fspath(folder)
    places = [Path(path) for path in images_below(folder) if not is_hidden(path)]
    tops = {path.parts[0] for path in places if len(path.parts) > 1}
    split = len(tops) > 1 and tops.issubset(PARTS) and "train" in tops
    if split and len(tops) > 2:
        raise DataError(where, expected="the folders train and test", got=", ".join(sorted(tops)),
                        hint="put the photos of one of them into another")
    depth = 1 + split  # folders above a photo
    outside = [path for path in places if len(path.parts) <= depth]
    if outside:
        raise DataError(where, f"{outside[0]} is in no folder of a class", got=f"{len(outside)} such photos",
                        hint="move them into folders, one a class, or give a table with --labels")
    roots = [Path(where, top) for top in sorted(tops)] if split else [Path(where)]
    named = {path.name for root in roots for path in root.iterdir() if path.is_dir() and not is_hidden(path.name)}
    classes = [path.parts[depth - 1] for path in places]
    empty = sorted(named - set(classes))
    if empty:
        raise DataError(where, "folders without a photo", got=", ".join(empty[:FEW]), hint="remove them")
    names = in_order(named)
    if len(names) < 2:
        raise DataError(where, expected="two classes, a folder each", got=f"{', '.join(names)} alone",
                        hint="several labels a photo come as a table, with --labels")
    number = {name: i for i, name in enumerate(names)}
    parts = ["train" if path.parts[0] == "train" else "test" for path in places] if split else None
    return Labelled([path.as_posix() for path in places], np.array([number[name] for name in classes]), names, parts)


def photos_by_table(folder: str | os.PathLike, table: str | os.PathLike) -> Labelled:
    """The photos of `folder` that a CSV file names, one a line, and their labels.

    With the heading "image,label" the second field has the names of the labels, between semicolons; if every photo has
    one, they are classes. With more fields in the heading each is a label, and its column has a 1 where a photo has it.
    Fields may be separated by tabs. DataError, with the line, for other headings and fields, for photos that are named
    twice, that are not there, or that have no label.
    """
    where = os.fspath(table)
    heading, lines = _read_table(table)
    paths = [line[0] for _, line in lines]
    _check_paths(folder, where, [(number, path) for (number, _), path in zip(lines, paths)])
    if len(heading) == 2:
        given = [[name.strip() for name in line[1].split(BETWEEN) if name.strip()] for _, line in lines]
        names = in_order({name for row in given for name in row})
    else:
        names = [name.strip() for name in heading[1:]]
        given = []
        for number, line in lines:
            if not set(line[1:]) <= {"0", "1"}:
                raise DataError(f"{where}:{number}", expected=f"{len(names)} times 0 or 1", got=repr(",".join(line)))
            given.append([name for name, word in zip(names, line[1:]) if word == "1"])
        if len(set(names)) < len(names) or not all(names):
            raise DataError(f"{where}:1", expected="different names of labels", got=", ".join(names))
    bare = [number for (number, _), row in zip(lines, given) if not row]
    if bare:
        raise DataError(f"{where}:{bare[0]}", f"a photo without a label, one of {len(bare)}",
                        hint="give it one, or remove its line")
    place = {name: i for i, name in enumerate(names)}
    if len(heading) == 2 and all(len(row) == 1 for row in given):
        return Labelled(paths, np.array([place[row[0]] for row in given]), names)
    rows = np.zeros((len(paths), len(names)), np.uint8)
    for row, labels in zip(rows, given):
        row[[place[name] for name in labels]] = 1
    return Labelled(paths, rows, names)


def in_order(names: set[str]) -> list[str]:
    """The names sorted, by size if all are whole numbers.

    >>> in_order({"10", "9"}), in_order({"10", "9", "b"})
    (['9', '10'], ['10', '9', 'b'])
    """
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def split(labels: np.ndarray, share: float) -> np.ndarray:
    """Which photos are test photos, booleans (N,): about the `share` of each class or combination of labels, the first.

    What a class has too much or too little for a whole number is carried over to the next ones; none gives all.

    >>> split(np.array([0, 0, 1, 1, 1, 0]), 0.5).tolist()
    [True, True, True, False, False, False]
    """
    _, group, sizes = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    counts, carried = [], 0.0
    for size in sizes.tolist():
        carried += share * size
        counts.append(min(size - 1, math.ceil(share * size), max(0, round(carried))))
        carried -= counts[-1]
    chosen = np.zeros(len(labels), bool)
    places = np.argsort(group.reshape(-1), kind="stable")
    for end, size, count in zip(np.cumsum(sizes).tolist(), sizes.tolist(), counts):
        chosen[places[end - size:end - size + count]] = True
    return chosen


def _read_table(table: str | os.PathLike) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The heading, and the other lines that are not empty, with their numbers."""
    where = os.fspath(table)
    try:
        text = require_file(table).read_text("utf-8-sig")  # with or without the mark that spreadsheets write
        between = "\t" if "\t" in text.partition("\n")[0] else ","
        lines = [(number, line) for number, line in enumerate(csv.reader(text.splitlines(), delimiter=between), 1)
                 if line]
    except (ValueError, csv.Error) as error:
        raise DataError(where, f"cannot be read ({error})", expected="CSV in UTF-8") from error
    if len(lines) < 2 or len(lines[0][1]) < 2:
        raise DataError(where, expected=HEADINGS, got=repr(text.partition("\n")[0][:80]))
    heading = lines[0][1]
    for number, line in lines[1:]:
        if len(line) != len(heading):
            raise DataError(f"{where}:{number}", expected=f"{len(heading)} fields, as the heading has", got=len(line))
    return heading, lines[1:]


def _check_paths(folder: str | os.PathLike, where: str, paths: list[tuple[int, str]]) -> None:
    twice = [path for path, count in Counter(path for _, path in paths).items() if count > 1]
    if twice:
        numbers = [str(number) for number, path in paths if path == twice[0]]
        raise DataError(where, f"{twice[0]!r} stands in the lines {' and '.join(numbers[:FEW])}",
                        hint="several labels of a photo stand in one line")
    for number, path in paths:
        if not inside(Path(folder), path, f"{where}:{number}").is_file():
            raise DataError(f"{where}:{number}", f"no file {path!r} in {os.fspath(folder)!r}")
