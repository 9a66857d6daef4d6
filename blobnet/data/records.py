"""Records: the Datums of a database by number; and the batches of records that somebody chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from google.protobuf.message import Message

from blobnet.data.batches import Batch
from blobnet.data.database import Reader
from blobnet.data.datum import datum_to_array, parse_datum
from blobnet.data.image_files import in_parallel
from blobnet.data.labels import check_labels
from blobnet.data.transformer import Transformer


class Records:
    """All records of a database, each at hand by its number. Those of an LMDB stay in its file until they are used."""

    def __init__(self, reader: Reader):
        self.where, self._check = reader.where, reader.check
        reader.seek(0)
        self._values = [reader.read() for _ in range(len(reader))]
        self._labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self._values)

    def labels(self) -> np.ndarray:
        """The labels of all records (N,), read once."""
        if self._labels is None:
            self._labels = np.array([self._datum(n).label for n in range(len(self))])
        return self._labels

    def images(self, numbers: Sequence[int], color: bool | None = None) -> list[np.ndarray]:
        """The images (C, H, W) of the records `numbers`; `color` as for `datum_to_array`. Raises DataError."""
        records = [(self._datum(n), n) for n in numbers]
        if records and records[0][0].encoded:
            return in_parallel(partial(self._image, color), records)
        return [self._image(color, record) for record in records]

    def _datum(self, n: int) -> Message:
        self._check()
        return parse_datum(self._values[n], f"{self.where} record {n}")

    def _image(self, color: bool | None, record: tuple[Message, int]) -> np.ndarray:
        datum, n = record
        return datum_to_array(datum, color, f"{self.where} record {n}")


class ChosenBatches:
    """Batch n holds the records `choose(n, size)`, transformed with numbers of `random(n)`, and their labels.

    DataError for a label that the dtype may round, if they are `labelled`.
    """

    def __init__(self, records: Records, choose: Callable[[int, int], np.ndarray], transformer: Transformer, size: int,
                 dtype: np.dtype, random: Callable[..., np.random.Generator], labelled: bool = True):
        self.records, self.choose, self.transformer = records, choose, transformer
        self.labels = records.labels()
        self.size, self.dtype, self.random = size, np.dtype(dtype), random
        if labelled:
            check_labels(self.labels, self.dtype, lambda n: f"{records.where} record {n}")

    def shape(self) -> tuple[int, ...]:
        """The shape (N, C, H, W) of a batch, judged by the first record."""
        return (self.size, *self.transformer.output_shape(self.records.images([0], self.transformer.color)[0].shape))

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        """Batch `n`: images (N, C, H, W) and labels (N,), in the arrays of `reuse` if they fit."""
        chosen = self.choose(n, self.size)
        images = self.records.images(chosen.tolist(), self.transformer.color)
        shape = (self.size, *self.transformer.output_shape(images[0].shape))
        if reuse is None or reuse[0].shape != shape:
            reuse = np.empty(shape, self.dtype), np.empty(self.size, self.dtype)
        data, labels = reuse
        self.transformer(images, data, self.random(n))
        labels[...] = self.labels[chosen]
        return data, labels
