"""MATLAB files, read by scipy."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from blobnet.errors import DataError
from blobnet.optional import require_library
from blobnet.proto.budget import require
from blobnet.proto.storage import require_file

HEADER = 128     # bytes before the first element of a file
COMPRESSED = 15  # the kind of an element that is compressed
CHUNK = 1 << 20  # bytes that are unpacked at once


def read_mat(path: Path) -> np.ndarray:
    """The only array in the MATLAB file at `path`; DataError if there is none, or several."""
    scipy = require_library("scipy.io", str(path), "MATLAB files are read by scipy", "scipy")
    try:
        with open(require_file(path), "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error")
            _check_size(file, str(path))
            arrays = [array for name, array in scipy.loadmat(file).items() if not name.startswith("__")]
    except DataError:
        raise
    except Exception as error:  # scipy raises a dozen types on damaged files
        raise DataError(str(path), f"not a MATLAB file ({error})") from error
    if len(arrays) != 1:
        raise DataError(str(path), expected="one array", got=len(arrays))
    return arrays[0]


def _check_size(file: BinaryIO, where: str) -> None:
    """DataError if the compressed parts of the MATLAB file unpack to more than a file may."""
    size, position, unpacked = os.fstat(file.fileno()).st_size, HEADER, 0
    while position + 8 <= size:
        file.seek(position)
        kind, length = struct.unpack("<II", file.read(8))
        if kind == COMPRESSED:
            unpacker, left = zlib.decompressobj(), file.read(length)
            while left and not unpacker.eof:
                unpacked += len(unpacker.decompress(left, CHUNK))
                require(unpacked, where, "what it unpacks to, at least", size)
                left = unpacker.unconsumed_tail
        position += 8 + length
    file.seek(0)
