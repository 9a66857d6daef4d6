"""What all files of a LevelDB have in common: checksums, texts with their sizes, and the error for a damaged file."""

from __future__ import annotations

import os
import struct

from crc32c import crc32c

from blobnet.data.stores.base import HINT
from blobnet.errors import DataError
from blobnet.proto.wire import Corrupt, read_varint

MASK = 0xA282EAD8
TAG = struct.Struct("<Q")  # ends a key: the number of the write that made the entry << 8, and 1 (value) or 0 (deletion)
Entry = tuple[bytes, int, bytes]  # key, minus its tag (so that the newest entry of a key sorts first), value


def checksum(data: bytes | memoryview) -> int:
    """The CRC-32C of `data`, masked as LevelDB stores it: a CRC of data that hold their own CRC would be a weak one.

    Source: https://github.com/google/leveldb/blob/main/util/crc32c.h

    >>> hex(checksum(b"123456789"))  # whose CRC-32C is 0xe3069283
    '0xc78ab0e5'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def read_text(view: memoryview, position: int) -> tuple[bytes, int]:
    """The bytes at `position`, behind a varint that says how many they are, and the position after them.

    Raises Corrupt.
    """
    size, begin = read_varint(view, position, len(view))
    if size > len(view) - begin:
        raise Corrupt(position, f"{size} bytes, of which {len(view) - begin} are there")
    return bytes(view[begin:begin + size]), begin + size


def place(path: str | os.PathLike, offset: int) -> str:
    """The byte `offset` of the LevelDB file `path`, as errors call it."""
    return f"LevelDB file {os.fspath(path)!r}: byte {offset}"


def damaged(path: str | os.PathLike, offset: int, reason: object) -> DataError:
    """The error for the LevelDB file `path`, broken at the byte `offset`."""
    return DataError(place(path, offset), str(reason), hint=HINT)
