"""DatumBatches: the batches of a database of Datum records, by number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.data.database import Reader
from blobnet.data.datum import datum_to_array, parse_datum
from blobnet.data.image_files import in_parallel
from blobnet.data.labels import check_labels
from blobnet.data.transformer import Transformer

Batch = tuple[np.ndarray, np.ndarray]


class DatumBatches:
    """Batch n holds the records n * size, … modulo the number of records, transformed, and their labels.

    Its random numbers come from `random(n)`, so that a batch is the same whenever it is read. DataError for a label
    that the dtype may round, if they are `labelled`.
    """

    def __init__(self, reader: Reader, transformer: Transformer, size: int, dtype: np.dtype = np.float32,
                 random: Callable[[int], np.random.Generator] = np.random.default_rng,
                 labelled: bool = True):
        self.reader, self.transformer = reader, transformer
        self.size, self.dtype, self.random, self.labelled = size, np.dtype(dtype), random, labelled

    def shape(self) -> tuple[int, ...]:
        """The shape (N, C, H, W) of a batch, judged by the first record."""
        self.reader.seek(0)
        return (self.size, *self.transformer.output_shape(self._image(self._next()).shape))

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        """Batch `n`: images (N, C, H, W) of the dtype and labels (N,), in the arrays of `reuse` if they fit.

        The first image decides the shape of the batch.
        """
        self.reader.seek(n * self.size)
        records = [self._next() for _ in range(self.size)]
        if records[0][0].encoded:
            images = in_parallel(self._image, records)
        else:
            images = [self._image(record) for record in records]
        shape = (self.size, *self.transformer.output_shape(images[0].shape))
        if reuse is None or reuse[0].shape != shape:
            reuse = np.empty(shape, self.dtype), np.empty(self.size, self.dtype)
        data, labels = reuse
        self.transformer(images, data, self.random(n))
        numbers = np.array([datum.label for datum, _ in records])
        if self.labelled:
            check_labels(numbers, self.dtype, lambda i: records[i][1])
        labels[...] = numbers
        return data, labels

    def _next(self) -> tuple[Message, str]:
        where = f"{self.reader.where} record {self.reader.position}"
        return parse_datum(self.reader.read(), where), where

    def _image(self, record: tuple[Message, str]) -> np.ndarray:
        datum, where = record
        return datum_to_array(datum, self.transformer.color, where)
