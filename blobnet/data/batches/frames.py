"""Clips of films whose frames are image files in a folder: what a list says, and the batches of clips and snippets."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, Shape, TransformedBatches
from blobnet.data.batches.labels import check_labels
from blobnet.data.batches.order import Run
from blobnet.data.images.files import in_parallel, read_listed
from blobnet.data.images.lists import LARGE, read_columns, read_label
from blobnet.data.images.transformer import Transformer
from blobnet.errors import DataError
from blobnet.proto.budget import require

TIME_STREAM = 3  # of the streams of a batch that with places in time; the transformer draws from random(n)


class Films(NamedTuple):
    """The lines of a list: folder, a number (a first frame, or how many frames there are), label or row of labels."""

    folders: list[str]
    numbers: np.ndarray  # (R,)
    labels: np.ndarray   # (R,) or (R, L)
    origin: str


def read_films(path: str | os.PathLike, label_num: int = 0) -> Films:
    """The list at `path` with "folder number label" a line.

    With `label_num` L the labels of a line stand together, as 0,3,5, and become a row of L numbers 0 and 1. DataError,
    with the line, for another number of words and for numbers out of range.
    """
    rows, origin = read_columns(path, "folder number labels" if label_num else "folder number label"), os.fspath(path)
    wheres = [f"{origin}:{n}" for n in range(1, len(rows) + 1)]
    numbers = np.array([read_label(row[1], where) for row, where in zip(rows, wheres)])
    if label_num:
        require(len(rows) * label_num, origin, f"{len(rows)} rows of {label_num} labels")
        labels = np.zeros((len(rows), label_num), np.uint8)
        for n, (row, where) in enumerate(zip(rows, wheres)):
            labels[n, [read_label(word, where, label_num) for word in row[2].split(",")]] = 1
    else:
        labels = np.array([read_label(row[2], where, LARGE) for row, where in zip(rows, wheres)])
    return Films([row[0] for row in rows], numbers, labels, origin)


class FrameBatches(TransformedBatches):
    """Batches of many frames for each line of a list; a subclass says which frames: `starts`, `names` and `joined`.

    Films come in the order of an endless run through the list, as Run says. Frames are read in `color` or gray and
    resized to `image_size` (H, W). DataError, with the line, for frames that are missing or differ in size, and for a
    label that the dtype cannot hold exactly.
    """

    def __init__(self, films: Films, transformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, *, color: bool = True,
                 image_size: tuple[int, int] | None = None, shuffle: bool = False, rand_skip: int = 0,
                 root_folder: str = ""):
        super().__init__(transformer, size, dtype, random, films.labels.shape[1:])
        self.films, self.color, self.image_size, self.root_folder = films, color, image_size, root_folder
        check_labels(films.labels, self.dtype, lambda n: f"{films.origin}:{n + 1}")
        self.run = Run(len(films.folders), size, random, shuffle, rand_skip)

    def starts(self, films: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What is drawn of each of these films, (F, …)."""
        raise NotImplementedError

    def names(self, start: np.ndarray) -> list[str]:
        """The names of the files of a film of which `start` was drawn, in its folder."""
        raise NotImplementedError

    def joined(self, frames: list[np.ndarray]) -> np.ndarray:
        """The frames (C, H, W) of a film as one image (C', H, W)."""
        raise NotImplementedError

    def items(self, n: int) -> list[tuple[int, np.ndarray]]:
        return self._first_items(n, self.size)

    def images(self, items: list[tuple[int, np.ndarray]]) -> list[np.ndarray]:
        jobs = [(film, name) for film, start in items for name in self.names(start)]
        frames, count = in_parallel(self._read, jobs), len(jobs) // len(items)
        return [self._whole(film, frames[i * count:(i + 1) * count]) for i, (film, _) in enumerate(items)]

    def labels(self, items: list[tuple[int, np.ndarray]]) -> np.ndarray:
        return self.films.labels[[film for film, _ in items]]

    def first_image(self) -> np.ndarray:
        return self.images(self._first_items(0, 1))[0]

    def _first_items(self, n: int, count: int) -> list[tuple[int, np.ndarray]]:
        films = self.run(n, count)
        return list(zip(films.tolist(), self.starts(films, self.random(n, TIME_STREAM))))

    def _read(self, job: tuple[int, str]) -> np.ndarray:
        film, name = job
        return read_listed(f"{self.films.folders[film]}/{name}", f"{self.films.origin}:{film + 1}", self.root_folder,
                           self.color, self.image_size)

    def _whole(self, film: int, frames: list[np.ndarray]) -> np.ndarray:
        for frame in frames:
            if frame.shape != frames[0].shape:
                raise DataError(f"{self.films.origin}:{film + 1}", expected="all frames of one size",
                                got=f"{frames[0].shape[1:]} and {frame.shape[1:]}", hint="set new_height and new_width")
        return self.joined(frames)


class ClipBatches(FrameBatches):
    """Batch n: clips (N, C, L, H, W) of `length` L frames, 000001.jpg …, and the labels of their films.

    A clip begins at the frame that its line says; with `anywhere` a line says how many frames there are, from 1 on, and
    the place is drawn. It takes every rate-th frame; with `rates` the rate is drawn too, from 1 to `rate`. The
    transformer takes a clip for an image of C * L channels.
    """

    def __init__(self, films: Films, transformer: Transformer, size: int, dtype: DTypeLike, random: Random, *,
                 length: int, rate: int = 1, rates: bool = False, anywhere: bool = False, **more):
        super().__init__(films, transformer, size, dtype, random, **more)
        self.length, self.rate, self.rates, self.anywhere = length, rate, rates, anywhere
        if anywhere:
            refuse_short(films, length * rate)

    def starts(self, films: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        rates = rng.integers(1, self.rate + 1, len(films)) if self.rates else np.full(len(films), self.rate)
        numbers = self.films.numbers[films]
        firsts = 1 + rng.integers(numbers - self.length * rates + 1) if self.anywhere else numbers
        return np.stack([firsts, rates], axis=1)

    def names(self, start: np.ndarray) -> list[str]:
        first, rate = start.tolist()
        return [f"{first + rate * i:06d}.jpg" for i in range(self.length)]

    def joined(self, frames: list[np.ndarray]) -> np.ndarray:
        return np.stack(frames, axis=1).reshape(-1, *frames[0].shape[1:])

    def transform(self, images: list[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> None:
        super().transform(images, out.reshape(len(out), -1, *out.shape[3:]), rng)

    def _shapes(self, image: np.ndarray) -> list[Shape]:
        (count, channels, *sides), labels = super()._shapes(image)
        return [(count, channels // self.length, self.length, *sides), labels]


class SnippetBatches(FrameBatches):
    """Batch n: the frames of `segments` snippets, of `length` frames each, one behind the other, (N, C', H, W), and the
    labels of their films.

    A line says how many frames a film has, from 1 on. It is cut into equal parts, and of each part a snippet is taken:
    `anywhere`, or of its middle. In parts that are shorter than a snippet, each begins at frame 1. `pattern` names the
    files of a frame by its number.
    """

    def __init__(self, films: Films, transformer, size: int, dtype: DTypeLike, random: Random, *,
                 pattern: Callable[[int], Sequence[str]], length: int = 1, segments: int = 1, anywhere: bool = False,
                 **more):
        super().__init__(films, transformer, size, dtype, random, **more)
        self.pattern, self.length, self.segments, self.anywhere = pattern, length, segments, anywhere
        refuse_short(films, length)

    def starts(self, films: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        part = (self.films.numbers[films] // self.segments)[:, None]
        room = part - self.length + 1
        drawn = rng.integers(np.maximum(room, 1), size=(len(films), self.segments)) if self.anywhere else room // 2
        return np.where(room > 0, drawn + part * np.arange(self.segments), 0)

    def names(self, start: np.ndarray) -> list[str]:
        return [name for first in start.tolist() for i in range(self.length) for name in self.pattern(first + i + 1)]

    def joined(self, frames: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(frames)


def refuse_short(films: Films, least: int) -> None:
    """DataError, with the line, for a film with fewer frames than a clip takes."""
    short = np.flatnonzero(films.numbers < least)
    if len(short):
        raise DataError(f"{films.origin}:{short[0] + 1}", expected=f"at least {least} frames",
                        got=int(films.numbers[short[0]]), hint="leave short films out of the list")
