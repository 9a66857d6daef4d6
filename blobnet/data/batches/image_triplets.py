"""ImageTripletBatches: image files of a list, three in a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random
from blobnet.data.batches.images import ImageBatches
from blobnet.data.batches.order import Run
from blobnet.data.images.transformer import Transformer

THREE = 3


class ImageTripletBatches(ImageBatches):
    """Batch n: the first images of `triplets` triplets, then their second ones, then their third ones.

    These are the triplets at the places n * triplets … of an endless run through the list, as Run says. `paths` are
    those of its lines, one line after the other. The labels are 0.
    """

    per_line = THREE

    def __init__(self, paths: Sequence[str], transformer: Transformer, triplets: int, dtype: DTypeLike, random: Random,
                 *, shuffle: bool = False, rand_skip: int = 0, **more):
        super().__init__(paths, np.zeros(len(paths), int), transformer, THREE * triplets, dtype, random, **more)
        self.run = Run(len(paths) // THREE, triplets, random, shuffle, rand_skip)

    def items(self, n: int) -> np.ndarray:
        lines = self.run(n)
        return np.concatenate([THREE * lines + place for place in range(THREE)])

    def first_image(self) -> np.ndarray:
        return self._read(THREE * self.run(0, 1)[0])
