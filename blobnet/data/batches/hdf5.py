"""HDF5Batches: the rows of a list of HDF5 files."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.order import Shuffles
from blobnet.data.stores.hdf5 import dataset_shapes, read_datasets
from blobnet.errors import DataError, within

KEPT = 1 << 26  # bytes of all files together up to which they stay in memory


class HDF5Batches(Batches):
    """Batch n holds the rows n * size … of the datasets `names`, file after file, and then from the first file again.

    With `shuffle` the files of every epoch come in another order, and so do the rows of a file: the order of the files
    in epoch e comes from `random(e, 0)`, that of the rows in the k-th file of this epoch from `random(e, 1 + k)`.
    `origin` is the list of the files. Raises DataError for files that do not fit each other or have no row. One file at
    a time is in memory, or all if they are small (KEPT).
    """

    def __init__(self, files: Sequence[str], names: Sequence[str], size: int, dtype: DTypeLike = np.float32,
                 shuffle: bool = False, random: Random = np.random.default_rng, origin: str = "list"):
        super().__init__(size, dtype, random)
        self.files, self.names = list(files), list(names)
        self._file_order = Shuffles(random) if shuffle else lambda count, *key: np.arange(count)
        self._row_order = Shuffles(random) if shuffle else lambda count, *key: slice(None)
        self._loaded: dict[int, list[np.ndarray]] = {}
        shapes = [self._shapes_in(number, origin) for number in range(len(self.files))]
        self._rows = np.array([self._check(file, found, shapes[0]) for file, found in zip(self.files, shapes)])
        self._shapes = [(size, *shape[1:]) for shape in shapes[0]]
        row = sum(math.prod(shape[1:]) for shape in shapes[0]) * self.dtype.itemsize
        self._total = int(self._rows.sum())
        self._keeps = self._total * row <= KEPT

    def _shapes_in(self, number: int, origin: str) -> list[Shape]:
        with within(f"{origin}, file {number + 1}"):
            return dataset_shapes(self.files[number], self.names)

    def _check(self, file: str, shapes: list[Shape], first: list[Shape]) -> int:
        """The number of rows in `file`."""
        where = f"HDF5 file {file!r}"
        for name, shape, model in zip(self.names, shapes, first):
            if not shape or shape[0] < 1:
                raise DataError(where, f"dataset {name!r}", expected="at least one row", got=f"shape {shape}")
            if shape[0] != shapes[0][0]:
                raise DataError(where, f"dataset {name!r}", got=f"{shape[0]} rows",
                                expected=f"as many rows as {self.names[0]!r} has, {shapes[0][0]}")
            if shape[1:] != model[1:]:
                raise DataError(where, f"dataset {name!r}", got=shape[1:],
                                expected=f"rows of shape {model[1:]} as in {self.files[0]!r}")
        return shapes[0][0]

    def shapes(self) -> list[Shape]:
        return self._shapes

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        batch = self.arrays(self._shapes, reuse)
        filled = 0
        while filled < self.size:
            epoch, place = divmod(n * self.size + filled, self._total)
            files = self._file_order(len(self.files), epoch, 0)
            ends = self._rows[files].cumsum()
            k = int(ends.searchsorted(place, side="right"))
            count, left = int(self._rows[files[k]]), int(ends[k]) - place
            rows = slice(count - left, count - left + self.size - filled)  # ends with the file
            order = self._row_order(count, epoch, 1 + k)
            for array, values in zip(batch, self._load(int(files[k]))):
                part = values[order[rows]] if isinstance(order, np.ndarray) else values[rows]
                array[filled:filled + len(part)] = part
            filled += len(part)
        return batch

    def _load(self, file: int) -> list[np.ndarray]:
        if file not in self._loaded:
            if not self._keeps:
                self._loaded.clear()  # before the next is read: never two in memory
            self._loaded[file] = read_datasets(self.files[file], self.names, self.dtype)
        return self._loaded[file]
