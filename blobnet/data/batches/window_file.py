"""Window files of R-CNN: images, and windows in them with a class and an overlap."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterator

import numpy as np

from blobnet.errors import DataError
from blobnet.proto.storage import require_file

CHANNELS = 3
LARGE = 1 << 31
FIELDS = 6  # of a window: class, overlap, x1, y1, x2, y2


@dataclasses.dataclass
class WindowFile:
    """paths: of the images; foreground, background: windows, integers (M, 6) of image, class, x1, y1, x2, y2.

    The pixels at the corners are part of the window. Background windows have class 0. `origin` is the file, as errors
    call it.
    """

    paths: list[str]
    foreground: np.ndarray
    background: np.ndarray
    origin: str = "window file"


def read_window_file(path: str | os.PathLike, fg_threshold: float = 0.5, bg_threshold: float = 0.5,
                     root_folder: str = "") -> WindowFile:
    """The windows in the file at `path`: foreground of an overlap of at least `fg_threshold`, background of one below
    `bg_threshold`; the others are left out.

    For every image the file holds, in words with white space between them:
    `# number path channels height width windows`, and then for every window `class overlap x1 y1 x2 y2`. Numbers of
    images count from 0. `root_folder` goes before the paths. DataError for anything else.
    Source: Girshick et al., Rich feature hierarchies for accurate object detection (CVPR 2014).
    """
    paths: list[str] = []
    kept: dict[bool, list[np.ndarray]] = {True: [np.empty((0, 6), np.int64)], False: [np.empty((0, 6), np.int64)]}
    with open(require_file(path), encoding="utf-8", errors="surrogateescape") as file:
        words = (word for line in file for word in line.split())
        for mark in words:
            where = f"window file {os.fspath(path)!r} image {len(paths)}"
            name, count = _header(mark, words, len(paths), where)
            paths.append(root_folder + name)
            windows, overlaps = _windows(words, count, where)
            windows = np.insert(windows, 0, len(paths) - 1, axis=1)
            foreground = overlaps >= np.float32(fg_threshold)
            background = ~foreground & (overlaps < np.float32(bg_threshold))
            if (windows[foreground, 1] < 1).any():
                raise DataError(where, expected="a class above 0 for every window of the foreground",
                                got=int(windows[foreground, 1].min()))
            kept[True].append(windows[foreground])
            kept[False].append(windows[background] * [1, 0, 1, 1, 1, 1])
    foreground, background = np.concatenate(kept[True]), np.concatenate(kept[False])
    if not len(foreground) or not len(background):
        raise DataError(f"window file {os.fspath(path)!r}", expected="windows of foreground and of background",
                        got=f"{len(foreground)} and {len(background)}", hint="see fg_threshold and bg_threshold")
    return WindowFile(paths, foreground, background, f"window file {os.fspath(path)!r}")


def _header(mark: str, words: Iterator[str], number: int, where: str) -> tuple[str, int]:
    """Path and number of windows of the next image."""
    head = [mark, *itertools.islice(words, 6)]
    try:
        found, (channels, _, _, count) = int(head[1]), map(int, head[3:])
    except (ValueError, IndexError):
        found = channels = count = -1
    if mark != "#" or count < 0:
        raise DataError(where, expected="# number path channels height width windows", got=" ".join(head))
    if found != number:
        raise DataError(where, expected=f"number {number}: images are counted from 0", got=found)
    if channels != CHANNELS:
        raise DataError(where, expected=f"{CHANNELS} channels", got=channels)
    return head[2], count


def _windows(words: Iterator[str], count: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Class and corners of `count` windows, (count, 5), and their overlaps."""
    try:
        values = np.fromiter(map(float, itertools.islice(words, FIELDS * count)), np.float64)
    except ValueError as error:
        raise DataError(where, expected="numbers: class overlap x1 y1 x2 y2", got=str(error)) from error
    if values.size != FIELDS * count:
        raise DataError(where, expected=f"{count} windows of {FIELDS} numbers", got=f"{values.size} numbers")
    values = values.reshape(count, FIELDS)
    windows = values[:, [0, 2, 3, 4, 5]]
    if not (np.abs(values) < LARGE).all() or not np.array_equal(windows, np.rint(windows)):
        raise DataError(where, expected="integers as class and corners, and no number of 2^31 or more",
                        got="others")
    return windows.astype(np.int64), values[:, 1].astype(np.float32)
