"""ImageBatches: the image files of a list."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.class_draws import ClassDraws
from blobnet.data.batches.labels import check_labels
from blobnet.data.batches.order import Order, Shuffles
from blobnet.data.images.files import in_parallel, read_image
from blobnet.data.images.transformer import Transformer
from blobnet.errors import within


class ImageBatches(TransformedBatches):
    """Batch n holds the images at the places n * size … of an endless run through the list, and their labels.

    With `shuffle`, epoch e has the order of `random(e, 0)`; the run starts at a place below `rand_skip` that comes from
    `random(0, 1)`. With `draws`, batch n holds the images draws(n, size) instead.
    Images are read in `color` or gray, and resized to `image_size` (H, W) before they are transformed. `root_folder`
    goes before the paths, which stand in the lines of the file `origin`. DataError for a label that the dtype cannot
    hold exactly.
    """

    def __init__(self, paths: Sequence[str], labels: np.ndarray, transformer: Transformer, size: int,
                 dtype: DTypeLike = np.float32, random: Random = np.random.default_rng, *, color: bool = True,
                 image_size: tuple[int, int] | None = None, shuffle: bool = False, rand_skip: int = 0,
                 draws: ClassDraws | None = None, origin: str = "list", root_folder: str = ""):
        super().__init__(transformer, size, dtype, random, labels.shape[1:])
        self.paths, self.all_labels, self.origin, self.root_folder = paths, labels, origin, root_folder
        self.color, self.image_size, self.rand_skip, self.draws = color, image_size, rand_skip, draws
        check_labels(labels, self.dtype, lambda n: f"{origin}:{n + 1}")
        self.order = Order(len(paths), Shuffles(random) if shuffle else None)

    def items(self, n: int) -> np.ndarray:
        return self._first_items(n, self.size)

    def images(self, items: np.ndarray) -> list[np.ndarray]:
        return in_parallel(self._read, items)

    def labels(self, items: np.ndarray) -> np.ndarray:
        return self.all_labels[items]

    def first_image(self) -> np.ndarray:
        return self._read(self._first_items(0, 1)[0])

    def _first_items(self, n: int, count: int) -> np.ndarray:
        """The numbers of the first `count` images of batch `n`."""
        if self.draws is not None:
            return self.draws(n, count)
        skipped = int(self.random(0, 1).integers(self.rand_skip)) if self.rand_skip else 0
        return self.order(skipped + n * self.size, count)

    def _read(self, number: int) -> np.ndarray:
        path = self.root_folder + self.paths[number]
        hint = "" if os.path.isfile(path) else f"the list's paths stand behind root_folder, {self.root_folder!r}"
        with within(f"{self.origin}:{number + 1}", hint):
            return read_image(path, self.color, self.image_size)
