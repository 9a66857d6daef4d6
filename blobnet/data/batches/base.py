"""Batches: what a data layer reads ahead, by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.images.transformer import Transformer

Batch = tuple[np.ndarray, ...]
Shape = tuple[int, ...]
Random = Callable[..., np.random.Generator]  # the stream of random numbers for a key, such as the number of a batch


class Batches:
    """Batches by number, of `size` records each: a tuple of arrays of `dtype`, one for each top of a data layer.

    Batch n is always the same, whenever and however often it is made: what is random in it comes from the streams
    random(n, …). Training can therefore go on at any batch, and a thread can read ahead.
    A subclass defines `shapes` and `__call__`.
    """

    def __init__(self, size: int, dtype: DTypeLike = np.float32, random: Random = np.random.default_rng):
        self.size, self.dtype, self.random = size, np.dtype(dtype), random

    def shapes(self) -> list[Shape]:
        """The shapes of the arrays in a batch, before any is made."""
        raise NotImplementedError

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        """Batch `n`, written into the arrays of `reuse`, a batch that nobody needs any more, if their shapes fit."""
        raise NotImplementedError

    def arrays(self, shapes: list[Shape], reuse: Batch | None) -> Batch:
        """Arrays of these shapes for a batch: those of `reuse` if they fit, else new ones."""
        if reuse is not None and [array.shape for array in reuse] == shapes:
            return reuse
        return tuple(np.empty(shape, self.dtype) for shape in shapes)


class TransformedBatches(Batches):
    """Batches of two arrays: images that went through a Transformer, (N, C, H, W), and what belongs to them, (N, …).

    The first image of a batch decides the shape of the batch. The Transformer draws from random(n). A subclass says
    what a batch is made of: `items`, `images`, `labels` and `first_image`.
    """

    def __init__(self, transformer: Transformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, label_shape: Shape = ()):
        super().__init__(size, dtype, random)
        self.transformer, self.label_shape = transformer, label_shape

    def items(self, n: int) -> Any:
        """What batch `n` is made of, such as the numbers of records: a sequence with an item for each image."""
        raise NotImplementedError

    def images(self, items: Any) -> list[np.ndarray]:
        """The images of the items, uint8 or float, each (C, H, W)."""
        raise NotImplementedError

    def labels(self, items: Any) -> np.ndarray:
        """Their labels, (N, *label_shape)."""
        raise NotImplementedError

    def first_image(self) -> np.ndarray:
        """The image that `shapes` goes by."""
        raise NotImplementedError

    def transform(self, images: list[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> None:
        """Write the images into `out`, (N, C, H, W), drawing from `rng`."""
        self.transformer(images, out, rng)

    def shapes(self) -> list[Shape]:
        return self._shapes(self.first_image())

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        items = self.items(n)
        images = self.images(items)
        data, labels = batch = self.arrays(self._shapes(images[0]), reuse)
        self.transform(images, data, self.random(n))
        labels[...] = self.labels(items)
        return batch

    def _shapes(self, image: np.ndarray) -> list[Shape]:
        return [(self.size, *self.transformer.output_shape(image.shape)), (self.size, *self.label_shape)]
