"""MIML scenes: 2,000 photos of nature, each with one or several of five labels, here in 64 x 64.

Source: Zhou and Zhang, Multi-Instance Multi-Label Learning with Application to Scene Classification, NIPS 2006.
The folder holds the photos and labels.csv: the heading "image,desert,mountains,sea,sunset,trees", then a line a photo,
with the name of its file and a 0 or 1 for each label. No split is published; here is a random one, 1,600 to 400.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from blobnet.data.images.files import in_parallel, read_image
from blobnet.data.sets.files import inside, missing
from blobnet.errors import DataError

COUNTS = {"train": 1600, "test": 400}
DOWNLOADS: dict = {}
LABELS = ("desert", "mountains", "sea", "sunset", "trees")
LIST = "labels.csv"
SIZE = (64, 64)
SEED = 0  # of the split


def complete(folder: Path) -> bool:
    """Whether the list of the photos is in `folder`."""
    return (folder / LIST).is_file()


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, 64, 64), blue, green, red, and label rows (N, 5) of a split."""
    if not complete(folder):
        raise missing("MIML scenes", folder, LIST)
    names, rows = _read_list(folder / LIST)
    order = np.random.RandomState(SEED).permutation(len(names))  # RandomState: its streams never change
    order = order[:COUNTS["train"]] if split == "train" else order[COUNTS["train"]:]
    paths = [inside(folder, names[i], f"{folder / LIST}:{i + 2}") for i in order]
    images = in_parallel(lambda path: read_image(path, size=SIZE), paths)
    return np.stack(images), rows[order]


def _read_list(path: Path) -> tuple[list[str], np.ndarray]:
    """The names of the photos, and their label rows."""
    try:
        heading, *lines = csv.reader(path.read_text("utf-8", "surrogateescape").splitlines(keepends=True))
    except (ValueError, csv.Error) as error:  # ValueError: no line at all
        raise DataError(str(path), expected="lines of a file and five times 0 or 1", got=str(error)) from error
    if tuple(heading[1:]) != LABELS or len(lines) != sum(COUNTS.values()):
        raise DataError(str(path), expected=f"{sum(COUNTS.values())} photos with the labels {', '.join(LABELS)}",
                        got=f"{len(lines)} with {', '.join(heading[1:])}")
    for number, line in enumerate(lines, 2):
        if len(line) != 1 + len(LABELS) or not set(line[1:]) <= {"0", "1"}:
            raise DataError(f"{path}:{number}", expected="a file and five times 0 or 1", got=repr(",".join(line)))
    return [line[0] for line in lines], np.array([line[1:] for line in lines], np.uint8)
