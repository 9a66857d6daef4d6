"""The arrays of .npz files: read, or mapped into memory where they lie.

What a file says of itself is checked before memory is taken: no Python objects, arrays that fill their part of the
archive, and no more bytes than a file may unpack to (see proto.budget).
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from blobnet.errors import DataError
from blobnet.proto.budget import require

_LOCAL_HEADER = struct.Struct("<26x2H")  # of a zip member: lengths of its name and its extra field stand at byte 26
ALLOCATION = mmap.ALLOCATIONGRANULARITY  # where a map may begin
_READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Mapped(np.memmap):
    """An array in a file, which must not shrink: the system ends a process that reads what is not there any more.

    Each part that is taken asks before, and raises DataError instead.
    """

    def __getitem__(self, index):
        if self._mmap is not None and self._mmap.size() < len(self._mmap) + self.offset // ALLOCATION * ALLOCATION:
            raise DataError(str(self.filename), "was cut off while it was read", got=f"{self._mmap.size()} bytes",
                            hint="write the file anew, and leave it alone while it is read")
        return super().__getitem__(index)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file by name; DataError for too large ones, errors of zipfile and NumPy for damaged files."""
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        members = list(_members(path, archive))
        size = sum(member.file_size for _, member in members)
        require(size, str(path), "the arrays", os.fstat(file.fileno()).st_size)
        arrays = {}
        for name, member in members:
            with archive.open(member) as stream:
                _check_header(stream, member.file_size)
            with archive.open(member) as stream:
                arrays[name] = npy.read_array(stream, allow_pickle=False)
        return arrays


def map_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an uncompressed file by name, read-only; those without elements or axes are read.

    DataError for compressed members; the errors of zipfile and NumPy for damaged files and for Python objects.
    """
    arrays = {}
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for name, member in _members(path, archive):
            if member.compress_type != zipfile.ZIP_STORED:
                raise DataError(str(path), f"array {name!r} is compressed", hint="read it whole, without mmap")
            arrays[name] = _map(path, file, archive, member)
    return arrays


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Name and place of every array."""
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(str(path), expected="arrays as np.savez or np.savez_compressed pack them",
                            got=f"{member.filename!r}, packed in another way")
        yield member.filename.removesuffix(".npy"), member


def _check_header(stream: IO[bytes], end: int) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, Fortran's order, type and place of the array in `stream`, which must end by the byte `end`."""
    shape, fortran, dtype = _READ_HEADER[npy.read_magic(stream)](stream)
    place = stream.tell()
    if dtype.hasobject or any(dim < 0 for dim in shape) or place + dtype.itemsize * math.prod(shape) > end:
        raise ValueError(f"{dtype} {shape} is not in the file")
    return shape, fortran, dtype, place


def _map(path: Path, file: IO[bytes], archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    file.seek(member.header_offset)
    start = member.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))
    file.seek(start)
    shape, fortran, dtype, place = _check_header(file, start + member.file_size)
    if not shape or 0 in shape:
        with archive.open(member) as stream:
            return npy.read_array(stream, allow_pickle=False)
    return Mapped(path, dtype, "r", place, shape, "F" if fortran else "C")
