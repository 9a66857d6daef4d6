"""Files as bytes: atomic writing, and errors for missing files that say what lies there instead."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from blobnet.errors import DataError, MissingFile, did_you_mean, nearest
from blobnet.published import copy_hint


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` only if the block ends without an error; until then `path` stays as it was.

    Raises DataError if the folder does not exist. Source: write, fsync and rename, as POSIX promises for rename(2).
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(str(path), f"cannot write: there is no folder {str(path.parent)!r}", hint="create it first")
    if path.is_dir():
        raise DataError(str(path), "cannot write: a folder has this name")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w+b") as file:  # HDF5 reads what it wrote
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # as open() would; a temporary file is private
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def require_file(path: str | os.PathLike) -> Path:
    """`path`, if a file or a pipe is there; else MissingFile naming the folder and files with a similar name.

    DataError for a folder, for a device, which may never end, and for what may not be looked at.
    """
    path, names = Path(path), []
    try:
        if path.is_dir():
            raise DataError(str(path), expected="a file", got="a folder")
        if path.exists():
            if path.is_char_device() or path.is_block_device() or path.is_socket():
                raise DataError(str(path), expected="a file", got="a device or a socket")
            return path
        folder = path.parent.absolute()
        there = folder.is_dir()
        if there:
            names = [item.name for item in folder.iterdir() if item.is_file()]
    except OSError as error:
        raise DataError(str(path), f"cannot be read ({error.strerror})") from error
    raise MissingFile(str(path), f"no such file in {str(folder)!r}" if there else
                      f"no such file: there is no folder {str(folder)!r}",
                      hint=copy_hint(path) or did_you_mean(nearest(path.name, names)))
