"""HDF5 files: opening and reading with errors that name the file and the dataset, and atomic writing.

Every fault of a file comes out as a DataError: the HDF5 library has half a dozen types of exception for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from blobnet.errors import BlobnetError, DataError
from blobnet.proto.storage import atomic_write, require_file

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5")
FAULTS = (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError)  # what h5py raises for damaged files
DEFLATE = 1032  # times smaller than the numbers, at most, is what gzip makes of them
HINT = "the file is damaged or incomplete"


def named_hdf5(path: str | os.PathLike) -> bool:
    """Whether the name `path` ends as those of HDF5 files do."""
    return Path(path).suffix.lower() in SUFFIXES


def is_hdf5(path: str | os.PathLike) -> bool:
    """Whether `path` is named as an HDF5 file, or is a file that begins as one."""
    if named_hdf5(path):
        return True
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


@contextmanager
def reading(path: str | os.PathLike) -> Iterator:
    """The h5py.File at `path`; DataError if it is missing, no HDF5 file, or cut off."""
    h5py = load_h5py()
    with _faults(hdf5_where(path), "cannot be opened"):
        file = h5py.File(require_file(path), "r")
    with file:
        yield file


@contextmanager
def writing(path: str | os.PathLike) -> Iterator:
    """A new h5py.File that becomes `path` if the block ends without an error, as `atomic_write` does it."""
    h5py = load_h5py()
    with atomic_write(path) as stream, h5py.File(stream, "w") as file:
        yield file


def hdf5_where(path: str | os.PathLike) -> str:
    """How errors name the file."""
    return f"HDF5 file {os.fspath(path)!r}"


def find(group, name: str, where: str):
    """The group or dataset `name` in `group`, None if there is no such name; DataError if it cannot be opened."""
    path = f"{group.name}/{name}".lstrip("/")
    with _faults(where, f"{path!r} cannot be opened"):
        return group[name] if name in group else None


def names(group, where: str) -> list[str]:
    """The names in `group`, by the alphabet."""
    with _faults(where, "a group cannot be read"):
        return list(group)


def dataset_names(group, where: str) -> list[str]:
    """The names of the datasets in `group`, by the alphabet."""
    with _faults(where, "a group cannot be read"):
        return [name for name in group if group.get(name, getclass=True) is load_h5py().Dataset]


def check_numbers(dataset, name: str, where: str) -> None:
    """DataError if `dataset` is not one of integers or floats, or has more of them than the file has room for."""
    what = f"dataset {name!r}"
    with _faults(where, f"{what} cannot be read"):
        if not isinstance(dataset, load_h5py().Dataset):
            raise DataError(where, f"{name!r}", expected="a dataset", got="a group")
        if dataset.dtype.kind not in "iuf":
            raise DataError(where, what, expected="integers or floats", got=dataset.dtype)
        if dataset.external or dataset.is_virtual:
            return  # in other files
        room = os.path.getsize(dataset.file.filename) * (DEFLATE if dataset.chunks else 1)
        if dataset.nbytes > room:
            raise DataError(where, what, got=f"shape {dataset.shape}, {dataset.nbytes} bytes",
                            expected=f"at most {room} bytes", hint=HINT)


def read_numbers(dataset, name: str, where: str) -> np.ndarray:
    """The numbers in `dataset`; DataError as for `check_numbers`, and if they cannot be read."""
    check_numbers(dataset, name, where)
    with _faults(where, f"dataset {name!r} cannot be read"):
        return np.asarray(dataset[()])


def read_text(dataset, name: str, where: str) -> str:
    """The string in `dataset`, which must be a single one; else DataError."""
    with _faults(where, f"dataset {name!r} cannot be read"):
        value = dataset[()]
        if not isinstance(value, bytes):
            raise DataError(where, f"dataset {name!r}", expected="a string", got=dataset.dtype)
        return value.split(b"\0")[0].decode("utf-8", "surrogateescape")


def write_text(group, name: str, text: str) -> None:
    """Write `text` as a string of fixed length with a zero at its end, which is what programs in C read."""
    h5 = load_h5py()
    value = text.encode("utf-8", "surrogateescape") + b"\0"
    kind = h5.h5t.C_S1.copy()
    kind.set_size(len(value))
    dataset = h5.h5d.create(group.id, name.encode(), kind, h5.h5s.create(h5.h5s.SCALAR))
    dataset.write(h5.h5s.ALL, h5.h5s.ALL, np.array(value, f"S{len(value)}"), kind)


def load_h5py() -> ModuleType:
    """The module h5py, imported when it is first needed; DataError without it."""
    try:
        import h5py
    except ImportError as error:
        raise DataError("HDF5", f"h5py cannot be imported ({error})", hint="pip install h5py") from error
    return h5py


@contextmanager
def _faults(where: str, what: str) -> Iterator[None]:
    """Turn what h5py raises in the block into a DataError."""
    try:
        yield
    except BlobnetError:
        raise
    except FAULTS as error:
        raise DataError(where, f"{what} ({error})", hint=HINT) from error
