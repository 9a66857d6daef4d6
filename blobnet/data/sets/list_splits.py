"""The parts of sets that a user brings as lists of images, as the authors of HashNet publish them: NUS-WIDE, MS-COCO.

The lists are test.txt (the queries), train.txt and database.txt, with "path 0 1 0 …" a line: a 1 for each label that
the image has. They are checked against what the papers say, and written as lists that ImageData, HashingImageData and
MultiLabelImageData read.
Source: https://github.com/thuml/HashNet/tree/master/pytorch and https://github.com/swuxyj/DeepHash-pytorch.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blobnet.data.sets.together import all_there, together
from blobnet.errors import DataError, close_matches
from blobnet.proto.storage import require_file

ROW = re.compile(r"(\s+[01])+\s*$")  # the labels behind the path
LISTS = {"query": "test.txt", "train": "train.txt", "base": "database.txt"}
VALIDATION = 1000  # images


@dataclass(frozen=True)
class ListSplit:
    """How many labels an image may have, and how many queries and training images there are (either of some)."""

    labels: int
    query: int
    train: tuple[int, ...]


LIST_SPLITS = {
    "nus-wide": ListSplit(21, 2100, (10500,)),             # 100 and 500 images a label, of the 21 most frequent labels
    "nus-wide-81": ListSplit(81, 5000, (10000,)),          # HashNet's
    "imagenet-100": ListSplit(100, 5000, (10000, 13000)),  # 100 images a class in HashNet's paper, 130 in its lists
    "ms-coco": ListSplit(80, 5000, (10000,)),
}


def list_split_paths(name: str, data: str | os.PathLike) -> list[Path]:
    """What `write_list_split` writes into the folder `data`; DataError for unknown splits.

    >>> [path.name for path in list_split_paths("ms-coco", "data")]
    ['ms_coco_query.txt', 'ms_coco_train.txt', 'ms_coco_base.txt', 'ms_coco_validation.txt']
    """
    if name not in LIST_SPLITS:
        raise DataError(f"split {name!r}", "is not known", hint=close_matches(name, LIST_SPLITS))
    return [Path(data, f"{name.replace('-', '_')}_{part}.txt") for part in (*LISTS, "validation")]


def write_list_split(name: str, data: str | os.PathLike, lists: str | os.PathLike, root: str | os.PathLike,
                     seed: int = 0) -> list[Path]:
    """Check the lists in the folder `lists`, and write NAME_query.txt, _train.txt, _base.txt and _validation.txt.

    Those lie in the folder `data`, and their paths start there: root_folder of a net is that folder. Published paths
    may begin with folders of their authors, which are left out as far as the images are found below `root`. The
    validation part is 1,000 images of the base, drawn by `seed`, that are not for training.
    DataError for other numbers of images or labels than the papers say, for missing images, for an image that is a
    query and in another part too, and if other parts are there already.
    """
    targets = list_split_paths(name, data)
    split, there = LIST_SPLITS[name], all_there(f"split {name!r}", targets)
    where = {part: Path(lists, file) for part, file in LISTS.items()}
    parts = {part: _read(path, split.labels) for part, path in where.items()}
    _check_counts(where, parts, split)
    for part in ("train", "base"):
        twice = next((path for path in parts["query"] if path in parts[part]), None)
        if twice:
            raise DataError(str(where[part]), f"image {twice!r} is a query", hint="a query is in no other part")
    left = [path for path in parts["base"] if path not in parts["train"]]
    if len(left) < VALIDATION:
        raise DataError(str(where["base"]), expected=f"{VALIDATION} images or more that are not for training",
                        got=len(left))
    drawn = np.random.RandomState(seed).permutation(len(left))[:VALIDATION]  # RandomState: its streams never change
    parts["validation"] = {left[n]: parts["base"][left[n]] for n in np.sort(drawn)}
    found = {path: image for part, rows in parts.items() if part != "validation"
             for path, image in _locate(list(rows), Path(root), where[part]).items()}
    start = os.path.realpath(data)
    texts = ["".join(f"{os.path.relpath(found[image], start)} {labels}\n" for image, labels in rows.items())
             for rows in parts.values()]
    if there:
        other = [str(path) for path, text in zip(targets, texts) if path.read_text("utf-8", "surrogateescape") != text]
        if other:
            raise DataError(other[0], "has other images than these lists and this seed give",
                            hint="remove the parts, or write into another folder")
        return targets
    with together(targets) as made:
        for path, text in zip(made, texts):
            path.write_text(text, "utf-8", "surrogateescape")
    return targets


def _read(path: Path, labels: int) -> dict[str, str]:
    """The labels of each image of a list, "0 1 0 …" by its path."""
    found: dict[str, str] = {}
    for number, line in enumerate(require_file(path).read_text("utf-8", "surrogateescape").splitlines(), 1):
        row = ROW.search(line)
        count = len(row[0].split()) if row else 0
        if row is None or count != labels or not row.start():
            raise DataError(f"{path}:{number}", expected=f"a path and {labels} labels, each 0 or 1",
                            got=f"{count} labels in {line[:80]!r}")
        image = line[:row.start()]
        if image in found:
            raise DataError(f"{path}:{number}", f"image {image!r} for the second time")
        found[image] = " ".join(row[0].split())
    return found


def _check_counts(where: dict[str, Path], parts: dict[str, dict[str, str]], split: ListSplit) -> None:
    for part, expected in (("query", (split.query,)), ("train", split.train)):
        if len(parts[part]) not in expected:
            raise DataError(str(where[part]), expected=f"{' or '.join(map(str, expected))} images",
                            got=len(parts[part]), hint="these lists are of another protocol")


def _locate(images: list[str], root: Path, where: Path) -> dict[str, str]:
    """The file of each path, whose first folders may be others than those below `root`; DataError for a missing one."""
    words = images[0].split("/")
    root = Path(os.path.realpath(root))
    skip = next((n for n in range(len(words)) if root.joinpath(*words[n:]).is_file()), 0)
    found = {image: os.fspath(root.joinpath(*image.split("/")[skip:])) for image in images}
    for number, path in enumerate(found.values(), 1):
        if not os.path.isfile(path):
            raise DataError(f"{where}:{number}", f"no image {path!r}",
                            hint="give the folder that the paths start from with --root")
    return found
