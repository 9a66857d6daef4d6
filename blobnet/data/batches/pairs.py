"""Pairs of records that are fixed before training, and the batches of such pairs."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.order import Order
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.storage import require_file


def read_pairs(path: str | os.PathLike, count: int) -> np.ndarray:
    """The pairs in the list at `path`, "i j similar" a line, as integers (P, 3).

    i and j are numbers of records, from 0 to count - 1, similar is 0 or 1. DataError, with the line, for anything else.
    """
    pairs = []
    for number, line in enumerate(require_file(path).read_text("utf-8", "replace").splitlines(), 1):
        try:
            pair = [int(word) for word in line.split()]
        except ValueError:
            pair = []
        if len(pair) != 3 or not (0 <= pair[0] < count and 0 <= pair[1] < count and pair[2] in (0, 1)):
            raise DataError(f"{os.fspath(path)}:{number}", expected=f"two records from 0 to {count - 1} and 0 or 1",
                            got=repr(line))
        pairs.append(pair)
    if not pairs:
        raise DataError(os.fspath(path), expected="lines of two records and their similarity", got="an empty file")
    return np.array(pairs)


def draw_pairs(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` pairs (i, j, similar), integers (count, 3), drawn by NumPy's RandomState(seed).

    All pairs with i != j have equal chances. labels: class numbers (N,), N at least 2; similar is 1 where i and j have
    the same label.
    """
    rng = np.random.RandomState(seed)  # whose streams never change
    i = rng.randint(len(labels), size=count)
    j = (i + 1 + rng.randint(len(labels) - 1, size=count)) % len(labels)
    return np.stack([i, j, labels[i] == labels[j]], axis=1)


class PairBatches(Batches):
    """Batch n holds both images of the pairs n * size … in an endless run through `pairs` (P, 3), and similar (N,).

    Both halves have the shape (N, C, H, W). They are transformed with the random numbers of `random(n)`, the first
    images before the second ones.
    """

    def __init__(self, records: Records, pairs: np.ndarray, transformer: Transformer, size: int, dtype: DTypeLike,
                 random: Random):
        super().__init__(size, dtype, random)
        self.records, self.pairs, self.transformer, self.order = records, pairs, transformer, Order(len(pairs))

    def shapes(self) -> list[Shape]:
        return self._shapes(self._images([0])[0])

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        pairs, rng = self.pairs[self.order(n * self.size, self.size)], self.random(n)
        halves = [self._images(column) for column in pairs[:, :2].T.tolist()]
        *out, similar = batch = self.arrays(self._shapes(halves[0][0]), reuse)
        for images, data in zip(halves, out):
            self.transformer(images, data, rng)
        similar[...] = pairs[:, 2]
        return batch

    def _images(self, numbers: list[int]) -> list[np.ndarray]:
        return self.records.images(numbers, self.transformer.color)

    def _shapes(self, image: np.ndarray) -> list[Shape]:
        half = (self.size, *self.transformer.output_shape(image.shape))
        return [half, half, (self.size,)]
