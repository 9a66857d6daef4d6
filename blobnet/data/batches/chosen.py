"""ChosenBatches: records of a database that somebody chooses for each batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Random, TransformedBatches
from blobnet.data.batches.labels import check_labels
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.records import Records


class ChosenBatches(TransformedBatches):
    """Batch n holds the records `choose(n, size)`, transformed, and their labels (N,).

    If they are `labelled`, DataError for a label that the dtype cannot hold exactly.
    """

    def __init__(self, records: Records, choose: Callable[[int, int], np.ndarray], transformer: Transformer, size: int,
                 dtype: DTypeLike, random: Random, labelled: bool = True):
        super().__init__(transformer, size, dtype, random)
        self.records, self.choose, self.all_labels = records, choose, records.labels()
        if labelled:
            check_labels(self.all_labels, self.dtype, lambda n: f"{records.where} record {n}")

    def items(self, n: int) -> np.ndarray:
        return self.choose(n, self.size)

    def images(self, items: np.ndarray) -> list[np.ndarray]:
        return self.records.images(items.tolist(), self.transformer.color)

    def labels(self, items: np.ndarray) -> np.ndarray:
        return self.all_labels[items]

    def first_image(self) -> np.ndarray:
        return self.records.images([0], self.transformer.color)[0]
