"""The arrays of an uncompressed .npz file, mapped into memory where they lie in it."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from blobnet.errors import DataError

_LOCAL_HEADER = struct.Struct("<26x2H")  # of a zip member: lengths of its name and its extra field stand at byte 26


def map_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file by name, read-only; those without elements or axes are read.

    DataError for compressed members; the errors of zipfile and NumPy for damaged files and for Python objects.
    """
    arrays = {}
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if member.compress_type != zipfile.ZIP_STORED:
                raise DataError(str(path), f"array {name!r} is compressed", hint="read it whole, without mmap")
            arrays[name] = _map(path, file, archive, member)
    return arrays


def _map(path: Path, file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    file.seek(member.header_offset)
    start = member.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))
    file.seek(start)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
    shape, fortran, dtype = read_header(file)
    if not shape or 0 in shape:
        with archive.open(member) as stream:
            return npy.read_array(stream, allow_pickle=False)
    if dtype.hasobject or file.tell() + dtype.itemsize * int(np.prod(shape)) > start + member.file_size:
        raise ValueError(f"{dtype} {shape} is not in the file")
    return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")
