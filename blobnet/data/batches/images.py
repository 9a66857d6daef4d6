"""ImageBatches: the image files of a list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.class_draws import ClassDraws
from blobnet.data.batches.labels import check_labels
from blobnet.data.batches.order import Run
from blobnet.data.images.files import in_parallel, read_listed
from blobnet.data.images.transformer import Transformer


class ImageBatches(TransformedBatches):
    """Batch n holds the images at the places n * size … of an endless run through the list, and their labels.

    With `shuffle` every epoch has a new order, and the run starts at a place below `rand_skip`, as Run says. With
    `draws`, batch n holds the images draws(n, size) instead.
    Images are read in `color` or gray, and resized to `image_size` (H, W) before they are transformed. `root_folder`
    goes before the paths, which stand in the lines of the file `origin`. DataError for a label that the dtype cannot
    hold exactly.
    """

    per_line = 1  # paths in a line of the list

    def __init__(self, paths: Sequence[str], labels: np.ndarray, transformer: Transformer, size: int,
                 dtype: DTypeLike = np.float32, random: Random = np.random.default_rng, *, color: bool = True,
                 image_size: tuple[int, int] | None = None, shuffle: bool = False, rand_skip: int = 0,
                 draws: ClassDraws | None = None, origin: str = "list", root_folder: str = ""):
        super().__init__(transformer, size, dtype, random, labels.shape[1:])
        self.paths, self.all_labels, self.origin, self.root_folder = paths, labels, origin, root_folder
        self.color, self.image_size, self.draws = color, image_size, draws
        check_labels(labels, self.dtype, lambda n: f"{origin}:{n + 1}")
        self.run = Run(len(paths), size, random, shuffle, rand_skip)

    def items(self, n: int) -> np.ndarray:
        return self.run(n) if self.draws is None else self.draws(n, self.size)

    def images(self, items: np.ndarray) -> list[np.ndarray]:
        return in_parallel(self._read, items)

    def labels(self, items: np.ndarray) -> np.ndarray:
        return self.all_labels[items]

    def first_image(self) -> np.ndarray:
        return self._read((self.run if self.draws is None else self.draws)(0, 1)[0])

    def _read(self, number: int) -> np.ndarray:
        return read_listed(self.paths[number], f"{self.origin}:{number // self.per_line + 1}", self.root_folder,
                           self.color, self.image_size)
