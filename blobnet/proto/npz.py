"""The arrays of .npz files, which are read here and nowhere else.

What a file says of itself is checked before memory is taken: no Python objects, arrays that fill their part of the
archive, and no more bytes than a file may unpack to (see proto.budget).
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from blobnet.errors import DataError
from blobnet.proto.budget import require

_READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file by name; DataError for too large ones, errors of zipfile and NumPy for damaged files."""
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        listed = list(members(path, archive))
        size = sum(member.file_size for _, member in listed)
        require(size, str(path), "the arrays", os.fstat(file.fileno()).st_size)
        arrays = {}
        for name, member in listed:
            with archive.open(member) as stream:
                check_header(stream, member.file_size)
            with archive.open(member) as stream:
                arrays[name] = npy.read_array(stream, allow_pickle=False)
        return arrays


def members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Name and place of every array."""
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(str(path), expected="arrays as np.savez or np.savez_compressed pack them",
                            got=f"{member.filename!r}, packed in another way")
        yield member.filename.removesuffix(".npy"), member


def check_header(stream: IO[bytes], end: int) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, Fortran's order, type and place of the array in `stream`, which must end by the byte `end`."""
    shape, fortran, dtype = _READ_HEADER[npy.read_magic(stream)](stream)
    place = stream.tell()
    if dtype.hasobject or any(dim < 0 for dim in shape) or place + dtype.itemsize * math.prod(shape) > end:
        raise ValueError(f"{dtype} {shape} is not in the file")
    return shape, fortran, dtype, place
