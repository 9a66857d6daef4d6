"""HDF5 files as Caffe's data layers use them: arrays of numbers by name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from blobnet.errors import DataError, close_matches
from blobnet.proto import hdf5
from blobnet.proto.storage import require_file


def read_datasets(path: str | os.PathLike, names: Sequence[str], dtype: np.dtype) -> list[np.ndarray]:
    """The datasets `names` of the file at `path`, as arrays of `dtype`. DataError as for `dataset_shapes`."""
    with _datasets(path, names) as datasets, np.errstate(over="ignore"):  # too large for a float: inf
        return [hdf5.read_numbers(dataset, name, hdf5.hdf5_where(path)).astype(dtype, copy=False)
                for name, dataset in zip(names, datasets)]


def dataset_shapes(path: str | os.PathLike, names: Sequence[str]) -> list[tuple[int, ...]]:
    """The shapes of these datasets. DataError if there is no such file or dataset, or if one holds no numbers."""
    with _datasets(path, names) as datasets:
        return [dataset.shape for dataset in datasets]


def write_datasets(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` by name to a new file at `path`, atomically. What was there before is lost."""
    with hdf5.writing(path) as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def read_file_list(path: str | os.PathLike) -> list[str]:
    """The names of files in the text file at `path`, with white space between them; DataError if there is none."""
    names = require_file(path).read_text("utf-8", "surrogateescape").split()
    if not names:
        raise DataError(os.fspath(path), expected="at least one name of an HDF5 file", got="none")
    return names


@contextlib.contextmanager
def _datasets(path: str | os.PathLike, names: Sequence[str]) -> Iterator[list]:
    where = hdf5.hdf5_where(path)
    with hdf5.reading(path) as file:
        found = [hdf5.find(file, name, where) for name in names]
        for name, dataset in zip(names, found):
            if dataset is None:
                raise DataError(where, f"no dataset {name!r}",
                                hint=close_matches(name, hdf5.dataset_names(file, where)))
            hdf5.check_numbers(dataset, name, where)
        yield found
