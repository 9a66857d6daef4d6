"""LevelDB's table files, .ldb or .sst: blocks of entries in the order of their keys, and an index of these blocks.

The last 48 bytes of a file say where the index is. A handle says where a block is: its start and its length as varints.
Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from blobnet.data.stores.leveldb_block import Block, read_block, read_bytes, read_entries, write_block
from blobnet.data.stores.leveldb_format import TAG, Entry, damaged
from blobnet.proto.wire import Corrupt, read_varint

FOOTER, MAGIC = 48, struct.pack("<Q", 0xDB4775248B80FB57)
BLOCK = 4096  # bytes that a block should have


def read_table(path: str | os.PathLike) -> Iterator[Entry]:
    """The entries of the table file `path`, in the order of their keys, the newest of a key first.

    DataError, with the byte, for a damaged file.
    """
    try:
        with open(path, "rb") as file:
            size, end = file.seek(0, os.SEEK_END), 0
            index, length = _index(file, size)
            for _, handle in read_entries(read_block(file, index, length, size), index):
                start, length, _ = _handle(handle)
                if start < end:
                    raise Corrupt(start, f"a block that begins before the end of another, {end}")
                end = start + length
                for key, value in read_entries(read_block(file, start, length, size), start):
                    if len(key) < TAG.size:
                        raise Corrupt(start, f"a key of {len(key)} bytes")
                    yield key[:-TAG.size], -TAG.unpack(key[-TAG.size:])[0], value
    except Corrupt as error:
        raise damaged(path, error.offset, error) from None
    except OSError as error:
        raise damaged(path, 0, f"cannot be read ({error})") from error


def write_table(path: str | os.PathLike, entries: Iterable[tuple[bytes, int, bytes]]) -> tuple[int, bytes, bytes]:
    """Write `entries` (key, number, value), in their order, to `path`; return its size, the first and the last key."""
    index, first, last = Block(), None, b""
    with open(path, "wb") as file:
        block = Block()
        for key, number, value in entries:
            last = key + TAG.pack(number)
            first = last if first is None else first
            block.add(last, value)
            if block.size >= BLOCK:
                index.add(last, write_block(file, block))
                block = Block()
        if block.size:
            index.add(last, write_block(file, block))
        handles = write_block(file, Block()) + write_block(file, index)  # an empty block: no further index
        file.write(handles.ljust(FOOTER - len(MAGIC), b"\0") + MAGIC)
        file.flush()
        os.fsync(file.fileno())
        return file.tell(), first or b"", last


def _index(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the index block is."""
    if size < FOOTER:
        raise Corrupt(0, f"a table has at least {FOOTER} bytes, this file {size}")
    footer = read_bytes(file, size - FOOTER, FOOTER)
    if footer[-len(MAGIC):] != MAGIC:
        raise Corrupt(size - len(MAGIC), f"a table ends in {MAGIC.hex()}, this file in {footer[-len(MAGIC):].hex()}")
    try:
        position = _handle(footer)[2]
        return _handle(footer, position)[:2]
    except Corrupt as error:
        raise Corrupt(size - FOOTER + error.offset, str(error)) from None


def _handle(data: bytes, position: int = 0) -> tuple[int, int, int]:
    """Start and length of a block, and the position after these two."""
    start, position = read_varint(memoryview(data), position, len(data))
    length, position = read_varint(memoryview(data), position, len(data))
    return start, length, position
