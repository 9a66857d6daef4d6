"""DatumBatches: the records of a database, one after the other."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.labels import check_labels
from blobnet.data.images.files import in_parallel
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.base import Reader
from blobnet.data.stores.datum import datum_to_array, parse_datum

Item = tuple[Message, str]  # a Datum, and where it comes from


class DatumBatches(TransformedBatches):
    """Batch n holds the records n * size, … modulo the number of records, transformed, and their labels (N,).

    If they are `labelled`, DataError for a label that the dtype cannot hold exactly.
    """

    def __init__(self, reader: Reader, transformer: Transformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, labelled: bool = True):
        super().__init__(transformer, size, dtype, random)
        self.reader, self.labelled = reader, labelled

    def items(self, n: int) -> list[Item]:
        self.reader.seek(n * self.size)
        return [self._next() for _ in range(self.size)]

    def images(self, items: list[Item]) -> list[np.ndarray]:
        if items[0][0].encoded:
            return in_parallel(self._image, items)
        return [self._image(item) for item in items]

    def labels(self, items: list[Item]) -> np.ndarray:
        labels = np.array([datum.label for datum, _ in items])
        if self.labelled:
            check_labels(labels, self.dtype, lambda i: items[i][1])
        return labels

    def first_image(self) -> np.ndarray:
        self.reader.seek(0)
        return self._image(self._next())

    def _next(self) -> Item:
        where = f"{self.reader.where} record {self.reader.position}"
        return parse_datum(self.reader.read(), where), where

    def _image(self, item: Item) -> np.ndarray:
        datum, where = item
        return datum_to_array(datum, self.transformer.color, where)
