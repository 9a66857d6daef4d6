"""ImageBatches: the batches of a list of image files, by number."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

from blobnet.data.batches import Batch
from blobnet.data.class_draws import ClassDraws
from blobnet.data.image_files import in_parallel, read_image
from blobnet.data.labels import check_labels
from blobnet.data.order import Order, Shuffles
from blobnet.data.transformer import Transformer
from blobnet.errors import within


class ImageBatches:
    """Batch n holds the images at the places n * size … of an endless run through the list, transformed, and labels.

    `random(n)` is the stream of crops and flips. With `shuffle` epoch e has the order of `random(e, 0)`; the run starts
    at a place below `rand_skip` from `random(0, 1)`. With `draws` batch n holds the images draws(n, size) instead.
    Images are read in `color` or gray, and resized to `size` (H, W) before they are transformed. `root_folder` goes
    before the paths, which stand in the lines of the file `origin`. DataError for a label that the dtype may round.
    """

    def __init__(self, paths: Sequence[str], labels: np.ndarray, transformer: Transformer, batch_size: int,
                 dtype: np.dtype = np.float32, random: Callable[..., np.random.Generator] = np.random.default_rng, *,
                 color: bool = True, size: tuple[int, int] | None = None, shuffle: bool = False, rand_skip: int = 0,
                 draws: ClassDraws | None = None, origin: str = "list", root_folder: str = ""):
        self.origin, self.root_folder = origin, root_folder
        self.paths, self.labels, self.transformer = paths, labels, transformer
        self.batch_size, self.dtype, self.random = batch_size, np.dtype(dtype), random
        self.color, self.size, self.rand_skip, self.draws = color, size, rand_skip, draws
        check_labels(labels, self.dtype, lambda n: f"{origin}:{n + 1}")
        self.order = Order(len(paths), Shuffles(random) if shuffle else None)

    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of a batch's images (N, C, H, W), judged by the first, and labels."""
        first = self._read(self._records(0, 1)[0])
        return [(self.batch_size, *self.transformer.output_shape(first.shape)),
                (self.batch_size, *self.labels.shape[1:])]

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        """Batch `n`, in the arrays of `reuse` if they fit. The first image decides the shape of the batch."""
        records = self._records(n, self.batch_size)
        images = in_parallel(self._read, records)
        shape = (self.batch_size, *self.transformer.output_shape(images[0].shape))
        if reuse is None or reuse[0].shape != shape:
            reuse = np.empty(shape, self.dtype), np.empty((self.batch_size, *self.labels.shape[1:]), self.dtype)
        data, labels = reuse
        self.transformer(images, data, self.random(n))
        labels[...] = self.labels[records]
        return data, labels

    def _records(self, n: int, size: int) -> np.ndarray:
        """The first `size` records of batch `n`."""
        if self.draws is not None:
            return self.draws(n, size)
        skipped = int(self.random(0, 1).integers(self.rand_skip)) if self.rand_skip else 0
        return self.order(skipped + n * self.batch_size, size)

    def _read(self, record: int) -> np.ndarray:
        path = self.root_folder + self.paths[record]
        hint = "" if os.path.isfile(path) else f"the list's paths stand behind root_folder, {self.root_folder!r}"
        with within(f"{self.origin}:{record + 1}", hint):
            return read_image(path, self.color, self.size)
