"""Triplets from a list: a file says which records are query, positive and negative, and what attributes they have."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.order import Order, Shuffles
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.hdf5 import read_datasets
from blobnet.data.stores.records import Records
from blobnet.errors import DataError


def read_triplet_list(path: str, name: str, count: int, attributes: int) -> tuple[np.ndarray, np.ndarray]:
    """The triplets and the attributes in the HDF5 file `path`.

    Triplets: its dataset `name`, integers (T, 3), numbers of records below `count`. Attributes: its dataset
    "attributes", (count, attributes); it is not read if `attributes` is 0. DataError for anything else.
    """
    where = f"HDF5 file {path!r}"
    triplets, *rest = read_datasets(path, [name, "attributes"][:2 if attributes else 1], np.dtype(np.float64))
    if triplets.ndim != 2 or triplets.shape[1] != 3 or not len(triplets):
        raise DataError(where, f"dataset {name!r}", expected="triplets (T, 3)", got=f"shape {triplets.shape}")
    wrong = triplets[(triplets < 0) | (triplets >= count) | (triplets % 1 != 0)]
    if wrong.size:
        raise DataError(where, f"dataset {name!r}", expected=f"numbers of records, 0 ... {count - 1}", got=wrong[0])
    table = rest[0] if attributes else np.zeros((count, 0))
    if table.shape != (count, attributes):
        raise DataError(where, "dataset 'attributes'", expected=f"shape {(count, attributes)}", got=table.shape)
    return triplets.astype(np.int64), table


class TripletListBatches(TransformedBatches):
    """Batch n: the queries of size / 3 triplets, then their positives, then their negatives, and their attributes.

    These are the triplets at the places n * size / 3 … of an endless run through `triplets`; with `shuffle` every epoch
    has a new order. Each image has a crop of its own, but the images of a triplet are mirrored together: a query, its
    positive and its negative face the same way.
    """

    def __init__(self, records: Records, triplets: np.ndarray, attributes: np.ndarray, transformer: Transformer,
                 size: int, dtype: DTypeLike, random: Random, shuffle: bool):
        super().__init__(transformer, size, dtype, random, attributes.shape[1:])
        self.records, self.triplets, self.attributes = records, triplets, attributes
        self.mirror, transformer.mirror = transformer.mirror, False  # the transformer would turn each image by itself
        self.order = Order(len(triplets), Shuffles(random) if shuffle else None)

    def items(self, n: int) -> np.ndarray:
        count = self.size // 3
        return self.triplets[self.order(n * count, count)].T.reshape(-1)

    def images(self, items: np.ndarray) -> list[np.ndarray]:
        return self.records.images(items.tolist(), self.transformer.color)

    def labels(self, items: np.ndarray) -> np.ndarray:
        return self.attributes[items]

    def first_image(self) -> np.ndarray:
        return self.records.images([0], self.transformer.color)[0]

    def transform(self, images: list[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> None:
        if self.mirror:
            turned = np.tile(rng.integers(2, size=self.size // 3), 3)
            images = [image[:, :, ::-1] if turn else image for image, turn in zip(images, turned)]
        super().transform(images, out, rng)
