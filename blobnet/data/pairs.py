"""Pairs of records that are fixed before training, and the batches of such pairs."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from blobnet.data.order import Order
from blobnet.data.records import Records
from blobnet.data.transformer import Transformer
from blobnet.errors import DataError
from blobnet.proto.storage import require_file

PairBatch = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    """`count` pairs (i, j, similar), i != j, drawn alike among all with NumPy's RandomState(seed); (count, 3).

    labels: class numbers (N,), N at least 2; similar is 1 where those of i and j are equal.
    """
    rng = np.random.RandomState(seed)  # whose streams never change
    i = rng.randint(len(labels), size=count)
    j = (i + 1 + rng.randint(len(labels) - 1, size=count)) % len(labels)
    return np.stack([i, j, labels[i] == labels[j]], axis=1)


class PairBatches:
    """Batch n holds both images of the pairs n * size … in an endless run through `pairs` (P, 3), and similar (N,).

    The images are transformed with numbers of `random(n)`, first images first.
    """

    def __init__(self, records: Records, pairs: np.ndarray, transformer: Transformer, size: int, dtype: np.dtype,
                 random: Callable[..., np.random.Generator]):
        self.records, self.pairs, self.transformer = records, pairs, transformer
        self.order, self.size, self.dtype, self.random = Order(len(pairs)), size, np.dtype(dtype), random

    def shape(self) -> tuple[int, ...]:
        """The shape (N, C, H, W) of either half of a batch, judged by the first record."""
        return (self.size, *self.transformer.output_shape(self.records.images([0], self.transformer.color)[0].shape))

    def __call__(self, n: int, reuse: PairBatch | None = None) -> PairBatch:
        """Batch `n`: two times images (N, C, H, W), and similar (N,), in the arrays of `reuse` if they fit."""
        pairs, rng = self.pairs[self.order(n * self.size, self.size)], self.random(n)
        halves = [self.records.images(column, self.transformer.color) for column in pairs[:, :2].T.tolist()]
        shape = (self.size, *self.transformer.output_shape(halves[0][0].shape))
        if reuse is None or reuse[0].shape != shape:
            reuse = np.empty(shape, self.dtype), np.empty(shape, self.dtype), np.empty(self.size, self.dtype)
        for images, data in zip(halves, reuse):
            self.transformer(images, data, rng)
        reuse[2][...] = pairs[:, 2]
        return reuse
