"""Files as bytes: atomic writing, and errors for missing files that say what lies there instead."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from blobnet.errors import DataError, MissingFile, did_you_mean, nearest
from blobnet.published import copy_hint

LONGEST_NAME = 255  # of a file, in most systems
TEXT_SHOWN = 40     # characters of a text in an error
NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # disk, largest file, quota


@contextmanager
def atomic_write(path: str | os.PathLike, size: int = 0) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` only if the block ends without an error; until then `path` stays as it was.

    Raises DataError if the folder does not exist, and if there is no room, with the need (`size` bytes, if that is
    known) and what is free. Source: write, fsync and rename, as POSIX promises for rename(2), then fsync of the folder.
    """
    import shutil  # here, so that who only reads does not wait for them
    import tempfile

    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(str(path), f"cannot write: there is no folder {str(path.parent)!r}", hint="create it first")
    if path.is_dir():
        raise DataError(str(path), "cannot write: a folder has this name")
    written, temporary = 0, None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with _closing(handle) as file:  # HDF5 reads what it wrote
            try:
                yield file
                file.flush()
            finally:
                written = os.fstat(handle).st_size
            os.fsync(handle)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # as open() would; a temporary file is private
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        reason = _no_room(error)
        if reason is None:
            raise
        need = f"{size} bytes" if size else f"more than {written} bytes"
        raise DataError(str(path), f"cannot write: {os.strerror(reason.errno)}", expected=f"room for {need}",
                        got=f"{shutil.disk_usage(path.parent).free} bytes free in {str(path.parent)!r}",
                        hint="make room; what was there before is still whole") from error
    _sync_folder(path.parent)


@contextmanager
def _closing(handle: int) -> Iterator[BinaryIO]:
    """The open file `handle`, closed at the end without a second error for what could not be written."""
    file = open(handle, "w+b")
    try:
        yield file
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        raise
    file.close()


def _no_room(error: BaseException | None) -> OSError | None:
    """The error, among `error` and those it came from, that says there is no room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return error
        error = error.__cause__ or error.__context__
    return None


def _sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def require_file(path: str | os.PathLike) -> Path:
    """`path`, if a file or a pipe is there; else MissingFile naming the folder and files with a similar name.

    DataError for a folder, for a device, which may never end, and for what may not be looked at. MissingFile also for
    what is no path but the text of a file.
    """
    path, names = Path(path), []
    text = str(path)
    if any(sign in text for sign in "\n{") and (len(text) > LONGEST_NAME or not path.exists()):
        raise MissingFile(f"{text[:TEXT_SHOWN]!r}", "this is text, not the name of a file",
                          hint="write it to a file, or give what blobnet.proto.text.parse makes of it")
    try:
        if path.is_dir():
            raise DataError(str(path), expected="a file", got="a folder", hint="give a file in it")
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
