"""Listed triplets: which records are query, positive and negative is written down, as are the attributes of records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.data.batches import Batch
from blobnet.data.hdf5 import read_datasets
from blobnet.data.order import Order, Shuffles
from blobnet.data.records import Records
from blobnet.data.transformer import Transformer
from blobnet.errors import DataError


def read_triplet_list(path: str, name: str, count: int, attributes: int) -> tuple[np.ndarray, np.ndarray]:
    """Dataset `name` (T, 3) of an HDF5 file, record numbers below `count`, and "attributes" (count, `attributes`).

    Without attributes (0) the second is (count, 0). DataError for anything else.
    """
    where = f"HDF5 file {path!r}"
    triplets, *rest = read_datasets(path, [name, "attributes"][:2 if attributes else 1], np.float64)
    if triplets.ndim != 2 or triplets.shape[1] != 3 or not len(triplets):
        raise DataError(where, f"dataset {name!r}", expected="triplets (T, 3)", got=f"shape {triplets.shape}")
    wrong = triplets[(triplets < 0) | (triplets >= count) | (triplets % 1 != 0)]
    if wrong.size:
        raise DataError(where, f"dataset {name!r}", expected=f"numbers of records, 0 ... {count - 1}", got=wrong[0])
    table = rest[0] if attributes else np.zeros((count, 0))
    if table.shape != (count, attributes):
        raise DataError(where, "dataset 'attributes'", expected=f"shape {(count, attributes)}", got=table.shape)
    return triplets.astype(np.int64), table


class TripletListBatches:
    """Batch n: the queries of size / 3 triplets, then their positives, then their negatives, and their attributes.

    They are those at the places n * size / 3 … of an endless run through `triplets`, in a new order in each epoch with
    `shuffle`. `random(n)` is the stream of crops, which are those of each image, and of mirroring, which is that of a
    triplet: a query and its positive face the same way.
    """

    def __init__(self, records: Records, triplets: np.ndarray, attributes: np.ndarray, transformer: Transformer,
                 size: int, dtype: np.dtype, random: Callable[..., np.random.Generator], shuffle: bool):
        self.records, self.triplets, self.attributes = records, triplets, attributes
        self.transformer, self.size, self.dtype, self.random = transformer, size, np.dtype(dtype), random
        self.mirror, transformer.mirror = transformer.mirror, False  # the transformer would turn each image by itself
        self.order = Order(len(triplets), Shuffles(random) if shuffle else None)

    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of a batch's images (N, C, H, W), judged by the first record, and attributes (N, A)."""
        return [(self.size, *self.transformer.output_shape(self._images([0])[0].shape)),
                (self.size, self.attributes.shape[1])]

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        """Batch `n`, in the arrays of `reuse` if given."""
        count = self.size // 3
        chosen = self.triplets[self.order(n * count, count)].T.reshape(-1)
        rng = self.random(n)
        turned = np.tile(rng.integers(2, size=count) if self.mirror else np.zeros(count, int), 3)
        images = [image[:, :, ::-1] if turn else image for image, turn in zip(self._images(chosen.tolist()), turned)]
        data, attributes = reuse or tuple(np.empty(shape, self.dtype) for shape in self.shapes())
        self.transformer(images, data, rng)
        attributes[...] = self.attributes[chosen]
        return data, attributes

    def _images(self, records: list[int]) -> list[np.ndarray]:
        return self.records.images(records, self.transformer.color)
