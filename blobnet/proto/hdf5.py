"""HDF5 files: opening and reading with errors that name the file and the dataset, and atomic writing.

Reading is blobnet's own (see hdf5_objects), for files come from strangers; h5py writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np

from blobnet.errors import DataError
from blobnet.optional import require_library
from blobnet.proto.hdf5_bytes import Source
from blobnet.proto.hdf5_objects import Dataset, File, Group
from blobnet.proto.storage import atomic_write, require_file
from blobnet.proto.wire import Corrupt

HINT = "the file is damaged or incomplete"


@contextmanager
def reading(path: str | os.PathLike) -> Iterator[Group]:
    """The root group of the file at `path`; DataError if it is missing, no HDF5 file, or cut off.

    This is the one way in which blobnet reads HDF5 files. Whatever is in them, no other file is opened.
    """
    where = hdf5_where(path)
    with open(require_file(path), "rb") as stream:
        with _faults(where, "cannot be opened"):
            source = Source(stream)
            root = File(source).object(source.root, "")
            if not isinstance(root, Group):
                raise Corrupt(source.root, "no group at its root")
        yield root


@contextmanager
def writing(path: str | os.PathLike) -> Iterator:
    """A new h5py.File that becomes `path` if the block ends without an error, as `atomic_write` does it."""
    h5py = load_h5py()
    with atomic_write(path) as stream, h5py.File(stream, "w") as file:
        yield file


def hdf5_where(path: str | os.PathLike) -> str:
    """How errors name the file."""
    return f"HDF5 file {os.fspath(path)!r}"


def find(group: Group | Dataset, name: str, where: str) -> Group | Dataset | None:
    """The group or dataset `name` in `group`, None if there is no such name; DataError if it cannot be opened."""
    path = f"{group.name}/{name}".lstrip("/")
    with _faults(where, f"{path!r} cannot be opened"):
        found = _group(group, where).get(name)
        if isinstance(found, str):
            raise DataError(where, f"{path!r}", expected="a group or a dataset", got=found)
        return found


def names(group: Group | Dataset, where: str) -> list[str]:
    """The names in `group`, by the alphabet; DataError if it is none."""
    with _faults(where, "a group cannot be read"):
        return list(_group(group, where).links)


def dataset_names(group: Group | Dataset, where: str) -> list[str]:
    """The names of the datasets in `group`, by the alphabet, links left out; DataError if it is none."""
    with _faults(where, "a group cannot be read"):
        found = _group(group, where)
        return [name for name, link in found.links.items()
                if not isinstance(link, str) and isinstance(found.get(name), Dataset)]


def _group(group: Group | Dataset, where: str) -> Group:
    if not isinstance(group, Group):
        raise DataError(where, f"{group.name.lstrip('/')!r}", expected="a group", got="a dataset")
    return group


def check_numbers(dataset: Group | Dataset, name: str, where: str) -> Dataset:
    """`dataset`; DataError if it is not one of integers or floats, or has more of them than there is room for."""
    if not isinstance(dataset, Dataset):
        raise DataError(where, f"{name!r}", expected="a dataset", got="a group")
    if isinstance(dataset.dtype, str) or dataset.dtype.kind not in "iuf":
        raise DataError(where, f"dataset {name!r}", expected="integers or floats", got=dataset.dtype)
    with _faults(where, f"dataset {name!r} cannot be read"):
        dataset.check(f"{where}: dataset {name!r}")
    return dataset


def read_numbers(dataset: Group | Dataset, name: str, where: str) -> np.ndarray:
    """The numbers in `dataset`; DataError as for `check_numbers`, and if they cannot be read."""
    numbers = check_numbers(dataset, name, where)
    with _faults(where, f"dataset {name!r} cannot be read"):
        return numbers.read(f"{where}: dataset {name!r}")


def read_text(dataset: Group | Dataset, name: str, where: str) -> str:
    """The string in `dataset`, which must be a single one of a fixed length; else DataError."""
    with _faults(where, f"dataset {name!r} cannot be read"):
        if not isinstance(dataset, Dataset) or isinstance(dataset.dtype, str) or dataset.dtype.kind != "S" \
                or dataset.shape:
            raise DataError(where, f"dataset {name!r}", expected="a string of a fixed length",
                            got=getattr(dataset, "dtype", "a group"))
        return bytes(dataset.read(f"{where}: dataset {name!r}")[()]).split(b"\0")[0].decode("utf-8", "surrogateescape")


def write_text(group, name: str, text: str) -> None:
    """Write `text` as a string of fixed length with a zero at its end, which is what programs in C read."""
    h5 = load_h5py()
    value = text.encode("utf-8", "surrogateescape") + b"\0"
    kind = h5.h5t.C_S1.copy()
    kind.set_size(len(value))
    dataset = h5.h5d.create(group.id, name.encode(), kind, h5.h5s.create(h5.h5s.SCALAR))
    dataset.write(h5.h5s.ALL, h5.h5s.ALL, np.array(value, f"S{len(value)}"), kind)


def load_h5py() -> ModuleType:
    """The module h5py, imported when it is first needed; MissingLibrary without it."""
    return require_library("h5py", "HDF5", "needs h5py", "h5py")


@contextmanager
def _faults(where: str, what: str) -> Iterator[None]:
    """Turn what the block raises for damaged files into a DataError."""
    try:
        yield
    except Corrupt as error:
        raise DataError(where, f"{what} (byte {error.offset}: {error})", hint=HINT) from None
    except (OSError, MemoryError, ValueError) as error:  # ValueError: of NumPy, for arrays beyond all memory
        raise DataError(where, f"{what} ({error or 'no memory is left'})", hint=HINT) from error
