"""Lists of images and their boxes.

A line is the path of an image, without blanks, from the folder of the list; then five numbers for each box: its label,
x1, y1, x2, y2. (x1, y1) is the first pixel, counted from 0, and (x2, y2) the last. The label 0 is that of a proposal,
which may hold something.

    images/000005.jpg 9 262 210 323 338 9 164 263 252 371 0 240 193 294 298
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from blobnet.errors import DataError
from blobnet.proto.storage import require_file


class Entry(NamedTuple):
    """An image, and its boxes (B, 5) of [x1, y1, x2, y2, label]."""

    path: Path
    boxes: np.ndarray


def read_list(path, classes: int) -> list[Entry]:
    """The images of a list; DataError, with the line, for what is no box or no label from 0 to `classes` - 1."""
    entries = []
    for number, line in enumerate(require_file(path).read_text("utf-8", "surrogateescape").splitlines(), 1):
        name, *words = line.split() or [""]
        if name:
            entries.append(Entry(Path(path).parent / name, _boxes(words, classes, f"{path}:{number}")))
    if not entries:
        raise DataError(str(path), expected="images and boxes", got="an empty list")
    return entries


def _boxes(words: list[str], classes: int, where: str) -> np.ndarray:
    expected = f"five numbers a box: label, from 0 to {classes - 1}, x1 y1 x2 y2"
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = [math.nan]
    if len(numbers) % 5 or not all(map(math.isfinite, numbers)):
        raise DataError(where, expected=expected, got=" ".join(words)[:60])
    rows = np.array(numbers).reshape(-1, 5)[:, [1, 2, 3, 4, 0]]
    labels = rows[:, 4]
    wrong = (labels < 0) | (labels >= classes) | (labels % 1 != 0) | (rows[:, 2:4] < rows[:, :2]).any(axis=1)
    if wrong.any():
        x1, y1, x2, y2, label = rows[wrong.argmax()]
        raise DataError(where, expected=expected, got=f"{label:g} {x1:g} {y1:g} {x2:g} {y2:g}")
    return rows
