"""Images with a label for every pixel, from the lines of a list, and the batches of such pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.order import Run
from blobnet.data.images.files import in_parallel, read_listed
from blobnet.data.images.lists import read_label
from blobnet.data.images.pair_transformer import Pair, PairTransformer
from blobnet.errors import DataError

GRAYS = 256  # values that a pixel of a label image can have


class ImagePairs:
    """The pairs of a list by number: an image (C, H, W) and the labels of its pixels (1, H, W), both uint8.

    rows: the words of each line of the file `origin`; the first is the path of the image, the second that of the label
    image, or without `pixels` one label for all pixels; where there is no second word, all have the label `blank`.
    Images are read in `color` or gray, label images in gray, and resized to `size` (H, W) if given, labels to the
    nearest pixel. DataError, with the line, for a label that is not 0 ... 255, for files that are missing, and for
    pairs that differ in size.
    """

    def __init__(self, rows: Sequence[Sequence[str]], *, pixels: bool = True, blank: int = 0, color: bool = True,
                 size: tuple[int, int] | None = None, origin: str = "list", root_folder: str = ""):
        self.rows, self.pixels, self.color, self.size = rows, pixels, color, size
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
        labels = self._read(number, others[0], color=False, nearest=True)
        if labels.shape[1:] != image.shape[1:]:
            raise DataError(f"{self.origin}:{number + 1}", "label image", got=f"{labels.shape[1]} x {labels.shape[2]}",
                            expected=f"{image.shape[1]} x {image.shape[2]} as the image (height x width)")
        return image, labels

    def _read(self, number: int, path: str, color: bool, nearest: bool = False) -> np.ndarray:
        return read_listed(path, f"{self.origin}:{number + 1}", self.root_folder, color, self.size, nearest)


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
