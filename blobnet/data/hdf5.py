"""HDF5 files as Caffe uses them: arrays of numbers by name."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import numpy as np

from blobnet.errors import DataError, close_matches
from blobnet.proto.storage import atomic_write, require_file


def read_datasets(path: str | os.PathLike, names: Sequence[str], dtype: np.dtype) -> list[np.ndarray]:
    """The datasets `names` of the file at `path`, as arrays of `dtype`. DataError as for `dataset_shapes`."""
    with _datasets(path, names) as datasets:
        return [dataset[()].astype(dtype, copy=False) for dataset in datasets]


def dataset_shapes(path: str | os.PathLike, names: Sequence[str]) -> list[tuple[int, ...]]:
    """Their shapes. DataError if there is no such file or dataset, or if it holds other things than numbers."""
    with _datasets(path, names) as datasets:
        return [dataset.shape for dataset in datasets]


def write_datasets(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` by name to a new file at `path`, atomically. What was there before is lost."""
    memory = io.BytesIO()
    with _h5py().File(memory, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    with atomic_write(path) as file:
        file.write(memory.getbuffer())


def read_file_list(path: str | os.PathLike) -> list[str]:
    """The names of files in the text file at `path`, with white space between them; DataError if there is none."""
    names = require_file(path).read_text("utf-8", "surrogateescape").split()
    if not names:
        raise DataError(os.fspath(path), expected="at least one name of an HDF5 file", got="none")
    return names


@contextlib.contextmanager
def _datasets(path: str | os.PathLike, names: Sequence[str]) -> Iterator[list]:
    h5py, where = _h5py(), f"HDF5 file {os.fspath(path)!r}"
    try:
        file = h5py.File(require_file(path), "r")
    except OSError as error:
        raise DataError(where, f"cannot be opened ({error})") from error
    with file:
        yield [_numbers(file, name, h5py, where) for name in names]


def _numbers(file, name: str, h5py: ModuleType, where: str):
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        known: list[str] = []
        file.visititems(lambda key, item: known.append(key) if isinstance(item, h5py.Dataset) else None)
        raise DataError(where, f"no dataset {name!r}", hint=close_matches(name, known))
    if dataset.dtype.kind not in "iuf":
        raise DataError(where, f"dataset {name!r}", expected="integers or floats", got=dataset.dtype)
    return dataset


def _h5py() -> ModuleType:
    try:
        import h5py
    except ImportError as error:
        raise DataError("HDF5", f"h5py cannot be imported ({error})", hint="pip install h5py") from error
    return h5py
