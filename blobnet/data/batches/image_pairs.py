"""Images with a label for every pixel, from the lines of a list, and the batches of such pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.order import Run
from blobnet.data.images.files import in_parallel, read_listed
from blobnet.data.images.lists import LARGE, read_label
from blobnet.data.images.pair_transformer import Pair, PairTransformer
from blobnet.data.images.resize import resize, resize_nearest
from blobnet.errors import DataError
from blobnet.proto.budget import require

GRAYS = 256  # values that a pixel of a label image can have
HALF = 0.5


class ImagePairs:
    """The pairs of a list by number: an image (C, H, W) and the labels of its pixels (1, H, W), both uint8.

    rows: the words of each line of the file `origin`; the first is the path of the image, the second that of the label
    image, or without `pixels` one label for all pixels; where there is no second word, all have the label `blank`.
    Images are read in `color` or gray, label images in gray, and resized to `size` (H, W) if given; label images to the
    `nearest` pixel, or bilinearly. DataError, with the line, for a label that is not 0 ... 255, for files that are
    missing, and for pairs that differ in size.
    """

    def __init__(self, rows: Sequence[Sequence[str]], *, pixels: bool = True, blank: int = 0, color: bool = True,
                 size: tuple[int, int] | None = None, nearest: bool = True, origin: str = "list",
                 root_folder: str = ""):
        self.rows, self.color, self.size, self.nearest = rows, color, size, nearest
        self.origin, self.root_folder = origin, root_folder
        self.labels = None if pixels else [read_label(row[1], f"{origin}:{n + 1}", GRAYS) if len(row) > 1 else blank
                                           for n, row in enumerate(rows)]

    def __len__(self) -> int:
        return len(self.rows)

    def __call__(self, number: int) -> Pair:
        path, *others = self.rows[number]
        image = self._read(number, path, self.color)
        if self.labels is not None:
            return image, np.broadcast_to(np.uint8(self.labels[number]), (1, *image.shape[1:]))
        labels = self._read(number, others[0], color=False, nearest=self.nearest)
        if labels.shape[1:] != image.shape[1:]:
            raise DataError(f"{self.origin}:{number + 1}", "label image", got=f"{labels.shape[1]} x {labels.shape[2]}",
                            expected=f"{image.shape[1]} x {image.shape[2]} as the image (height x width)")
        return image, labels

    def _read(self, number: int, path: str, color: bool, nearest: bool = False) -> np.ndarray:
        return read_listed(path, f"{self.origin}:{number + 1}", self.root_folder, color, self.size, nearest)


class WindowPairs(ImagePairs):
    """Windows of such pairs: the last four words of a row are x1, y1, x2, y2, the corners, which belong to the window.

    What lies outside of the image is 0, and has the label `outside`. The window is resized to `size`, not the image.
    DataError, with the line, for a window without a pixel, or which is larger than memory allows.
    """

    def __init__(self, rows: Sequence[Sequence[str]], outside: int, *, size: tuple[int, int] | None = None, **more):
        super().__init__([row[:-4] for row in rows], **more)
        self.window_size, self.outside = size, outside
        self.windows = [self._window(row[-4:], f"{self.origin}:{n + 1}") for n, row in enumerate(rows)]

    def __call__(self, number: int) -> Pair:
        image, labels = super().__call__(number)
        where, window = f"{self.origin}:{number + 1}", self.windows[number]
        image, labels = _cut(image, window, 0, where), _cut(labels, window, self.outside, where)
        if self.window_size is None:
            return image, labels
        return resize(image, *self.window_size), resize_nearest(labels, *self.window_size)

    def _window(self, words: Sequence[str], where: str) -> tuple[int, ...]:
        try:
            x1, y1, x2, y2 = window = tuple(map(int, words))
        except ValueError:
            x1, y1, x2, y2 = window = 0, 0, -1, -1
        if not (x1 <= x2 and y1 <= y2 and max(map(abs, window)) < LARGE):
            raise DataError(where, expected="a window x1 y1 x2 y2, whole numbers", got=repr(" ".join(words)))
        return window


def _cut(image: np.ndarray, window: tuple[int, ...], value: int, where: str) -> np.ndarray:
    """The part of an image (C, H, W), which is `value` outside."""
    x1, y1, x2, y2 = window
    require(len(image) * (x2 - x1 + 1) * (y2 - y1 + 1), where, "the window", image.size)
    part = np.full((len(image), y2 - y1 + 1, x2 - x1 + 1), value, image.dtype)
    inside = image[:, max(y1, 0):max(y2 + 1, 0), max(x1, 0):max(x2 + 1, 0)]
    top, left = min(max(-y1, 0), part.shape[1]), min(max(-x1, 0), part.shape[2])
    part[:, top:top + inside.shape[1], left:left + inside.shape[2]] = inside
    return part


class ImagePairBatches(Batches):
    """Batch n: images (N, C, H, W), their labels (N, 1, H, W), and their heights and widths (N, 1, 1, 2).

    These are the pairs at the places n * size … of an endless run through the list, as Run says. The first image of a
    batch decides the shape. A height or width is that of the image read, or that of the batch where this is less.
    """

    def __init__(self, pairs: ImagePairs, transformer: PairTransformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, *, shuffle: bool = False, rand_skip: int = 0):
        super().__init__(size, dtype, random)
        self.pairs, self.transformer = pairs, transformer
        self.run = Run(len(pairs), size, random, shuffle, rand_skip)

    def shapes(self) -> list[Shape]:
        return self._shapes(self.pairs(int(self.run(0, 1)[0]))[0])

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        pairs = in_parallel(self.pairs, self.run(n).tolist())
        data, labels, sides = batch = self.arrays(self._shapes(pairs[0][0]), reuse)
        self.transformer(pairs, data, labels, self.random(n))
        sides[:, 0, 0] = np.minimum([image.shape[1:] for image, _ in pairs], data.shape[2:])
        return batch

    def _shapes(self, image: np.ndarray) -> list[Shape]:
        _, *sides = shape = self.transformer.output_shape(image.shape)
        return [(self.size, *shape), (self.size, 1, *sides), (self.size, 1, 1, 2)]


class EdgeBatches(ImagePairBatches):
    """Such batches whose labels say how sure an edge is: white is 1, and so is all above one half of it; black is 0."""

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        _, labels, _ = batch = super().__call__(n, reuse)
        labels /= GRAYS - 1
        labels[labels > HALF] = 1
        return batch
