"""The arrays of .npz files, mapped into memory where they lie; proto.npz reads them instead."""

from __future__ import annotations

import mmap
import struct
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from blobnet.errors import DataError
from blobnet.proto.npz import check_header, members

_LOCAL_HEADER = struct.Struct("<26x2H")  # of a zip member: lengths of its name and its extra field stand at byte 26
ALLOCATION = mmap.ALLOCATIONGRANULARITY  # where a map may begin


class Mapped(np.memmap):
    """An array in a file, which must not shrink: the system ends a process that reads what is not there any more.

    Each part that is taken asks before, and raises DataError instead.
    """

    def __getitem__(self, index):
        if self._mmap is not None and self._mmap.size() < len(self._mmap) + self.offset // ALLOCATION * ALLOCATION:
            raise DataError(str(self.filename), "was cut off while it was read", got=f"{self._mmap.size()} bytes",
                            hint="write the file anew, and leave it alone while it is read")
        return super().__getitem__(index)


def map_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an uncompressed file by name, read-only; those without elements or axes are read.

    DataError for compressed members; the errors of zipfile and NumPy for damaged files and for Python objects.
    """
    arrays = {}
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for name, member in members(path, archive):
            if member.compress_type != zipfile.ZIP_STORED:
                raise DataError(str(path), f"array {name!r} is compressed", hint="read it whole, without mmap")
            arrays[name] = _map(path, file, archive, member)
    return arrays


def _map(path: Path, file: IO[bytes], archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    file.seek(member.header_offset)
    start = member.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))
    file.seek(start)
    shape, fortran, dtype, place = check_header(file, start + member.file_size)
    if not shape or 0 in shape:
        with archive.open(member) as stream:
            return npy.read_array(stream, allow_pickle=False)
    return Mapped(path, dtype, "r", place, shape, "F" if fortran else "C")
