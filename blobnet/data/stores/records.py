"""Records: the Datums of a database by number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.files import in_parallel
from blobnet.data.stores.base import Reader
from blobnet.data.stores.datum import datum_to_array, parse_datum


class Records:
    """All records of a database, by number. Those of a LevelDB are in memory, those of an LMDB stay in its file."""

    def __init__(self, reader: Reader):
        self.where, self._check = reader.where, reader.check
        reader.seek(0)
        self._values = [reader.read() for _ in range(len(reader))]
        self._labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self._values)

    def value(self, n: int) -> bytes | memoryview:
        """The bytes of record `n`, to be looked at at once."""
        self._check()
        return self._values[n]

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
        return parse_datum(self.value(n), f"{self.where} record {n}")

    def _image(self, color: bool | None, record: tuple[Message, int]) -> np.ndarray:
        datum, n = record
        return datum_to_array(datum, color, f"{self.where} record {n}")
