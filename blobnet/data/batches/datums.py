"""DatumBatches: the records of a database, one after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.labels import check_labels
from blobnet.data.batches.order import Run
from blobnet.data.images.files import in_parallel
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.base import Reader
from blobnet.data.stores.datum import datum_labels, datum_to_array, parse_datum
from blobnet.data.stores.records import Records


class Item(NamedTuple):
    """A record: a Datum, where it comes from, and its label or labels."""

    datum: Message
    where: str
    labels: float | list[float]


class DatumBatches(TransformedBatches):
    """Batch n holds the records n * size, … modulo the number of records, transformed, and their labels (N,), or
    (N, label_num) if that is above 1.

    With `shuffle` every epoch has a new order, as Run says; then the records of a LevelDB are in memory.
    If they are `labelled`, DataError for a label that the dtype cannot hold exactly, and for another number of labels.
    """

    def __init__(self, reader: Reader, transformer: Transformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, labelled: bool = True, *, label_num: int = 1,
                 shuffle: bool = False):
        super().__init__(transformer, size, dtype, random, (label_num,) if label_num > 1 else ())
        self.reader, self.labelled, self.label_num = reader, labelled, label_num
        self.records = Records(reader) if shuffle else None
        self.run = Run(len(reader), size, random, True) if shuffle else None

    def items(self, n: int) -> list[Item]:
        return self._first_items(n, self.size)

    def images(self, items: list[Item]) -> list[np.ndarray]:
        if items[0].datum.encoded:
            return in_parallel(self._image, items)
        return [self._image(item) for item in items]

    def labels(self, items: list[Item]) -> np.ndarray:
        labels = np.array([item.labels for item in items])
        if self.labelled:
            check_labels(labels, self.dtype, lambda i: items[i].where)
        return labels

    def first_image(self) -> np.ndarray:
        return self._image(self._first_items(0, 1)[0])

    def _first_items(self, n: int, count: int) -> list[Item]:
        """The first `count` records of batch `n`."""
        if self.run is not None and self.records is not None:
            return [self._item(self.records.value(number), number) for number in self.run(n, count).tolist()]
        self.reader.seek(n * self.size)
        items = []
        for _ in range(count):
            number = self.reader.position
            items.append(self._item(self.reader.read(), number))
        return items

    def _item(self, data: bytes | memoryview, number: int) -> Item:
        where = f"{self.reader.where} record {number}"
        datum = parse_datum(data, where)
        several = self.labelled and self.label_num > 1
        return Item(datum, where, datum_labels(data, self.label_num, where) if several else datum.label)

    def _image(self, item: Item) -> np.ndarray:
        return datum_to_array(item.datum, self.transformer.color, item.where)
