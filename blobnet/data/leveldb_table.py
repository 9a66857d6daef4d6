"""LevelDB's table files, .ldb or .sst: entries in the order of their keys, in blocks, and an index of the blocks.

A block is entries, places where keys are written out, their number; behind it come the compression (0 none, 1 Snappy)
and a checksum. The last 48 bytes of a file say where the index is. A key ends in eight bytes, the number of the write
that made the entry << 8, and 1 for a value or 0 for a deletion.
Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from blobnet.data.crc32c import crc32c, masked
from blobnet.data.leveldb_log import damaged
from blobnet.data.snappy import unsnap
from blobnet.proto.wire import Corrupt, read_varint, varint

FOOTER, MAGIC = 48, struct.pack("<Q", 0xDB4775248B80FB57)
TRAILER = 5  # behind a block
PLAIN, SNAPPY = 0, 1
BLOCK, RESTARTS = 4096, 16  # bytes that a block should have, entries between keys that are written out
LONGEST = 1 << 13  # bytes of a key; Caffe's are numbers and paths
TAG = struct.Struct("<Q")
Entry = tuple[bytes, int, bytes]


def read_table(path: str | os.PathLike) -> Iterator[Entry]:
    """The entries of the table file `path`: key, minus its number (the newest first of a key), value.

    DataError, with the byte, for a damaged file.
    """
    try:
        with open(path, "rb") as file:
            size, end = file.seek(0, os.SEEK_END), 0
            for _, handle in _entries(file, *_index(file, size), size):
                start, length, _ = _handle(handle)
                if start < end:
                    raise Corrupt(start, f"a block that begins before the end of another, {end}")
                end = start + length
                for key, value in _entries(file, start, length, size):
                    if len(key) < TAG.size:
                        raise Corrupt(start, f"a key of {len(key)} bytes")
                    yield key[:-TAG.size], -TAG.unpack(key[-TAG.size:])[0], value
    except Corrupt as error:
        raise damaged(path, error.offset, error) from None
    except OSError as error:
        raise damaged(path, 0, f"cannot be read ({error})") from error


def write_table(path: str | os.PathLike, entries: Iterable[tuple[bytes, int, bytes]]) -> tuple[int, bytes, bytes]:
    """Write `entries` (key, number, value), in their order, to `path`; return its size, the first and the last key."""
    index, first, last = _Block(), None, b""
    with open(path, "wb") as file:
        block = _Block()
        for key, number, value in entries:
            last = key + TAG.pack(number)
            first = last if first is None else first
            block.add(last, value)
            if block.size >= BLOCK:
                index.add(last, _write_block(file, block))
                block = _Block()
        if block.size:
            index.add(last, _write_block(file, block))
        handles = _write_block(file, _Block()) + _write_block(file, index)  # of further indices there are none
        file.write(handles.ljust(FOOTER - len(MAGIC), b"\0") + MAGIC)
        file.flush()
        os.fsync(file.fileno())
        return file.tell(), first or b"", last


def _index(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the index block is."""
    if size < FOOTER:
        raise Corrupt(0, f"a table has at least {FOOTER} bytes, this file {size}")
    footer = _read(file, size - FOOTER, FOOTER)
    if footer[-len(MAGIC):] != MAGIC:
        raise Corrupt(size - len(MAGIC), f"a table ends in {MAGIC.hex()}, this file in {footer[-len(MAGIC):].hex()}")
    try:
        position = _handle(footer)[2]
        return _handle(footer, position)[:2]
    except Corrupt as error:
        raise Corrupt(size - FOOTER + error.offset, error) from None


def _handle(data: bytes, position: int = 0) -> tuple[int, int, int]:
    """Start and length of a block, and the position after these two."""
    start, position = read_varint(memoryview(data), position, len(data))
    length, position = read_varint(memoryview(data), position, len(data))
    return start, length, position


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    data = file.read(count)
    if len(data) != count:
        raise Corrupt(start + len(data), "the file was cut off while it was read")
    return data


def _read_block(file: BinaryIO, start: int, length: int, size: int) -> bytes:
    if start + length + TRAILER > size:
        raise Corrupt(min(start, size), f"a block ends at byte {start + length + TRAILER} of {size}")
    data = _read(file, start, length + TRAILER)
    content, kind = memoryview(data)[:length], data[length]
    if masked(crc32c(data[:length + 1])) != int.from_bytes(data[length + 1:], "little"):
        raise Corrupt(start, "the checksum of a block is wrong")
    if kind == PLAIN:
        return data[:length]
    if kind == SNAPPY:
        try:
            return unsnap(content)
        except Corrupt as error:
            raise Corrupt(start + error.offset, error) from None
    raise Corrupt(start + length, f"a block of compression {kind}, not 0 (none) or 1 (Snappy)")


def _entries(file: BinaryIO, start: int, length: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values in a block of a file of `size` bytes. Of a key the file has what the one before has not."""
    block = _read_block(file, start, length, size)
    restarts = int.from_bytes(block[-4:], "little")
    end, view = len(block) - 4 * (restarts + 1), memoryview(block)
    if len(block) < 4 or end < 0:
        raise Corrupt(start, f"a block of {len(block)} bytes with {restarts} keys written out")
    position, key = 0, b""
    while position < end:
        try:
            shared, begin = read_varint(view, position, end)
            rest, begin = read_varint(view, begin, end)
            count, begin = read_varint(view, begin, end)
        except Corrupt as error:
            raise Corrupt(start, f"byte {position} of the block: {error}") from None
        if shared > len(key) or rest + count > end - begin:
            raise Corrupt(start, f"byte {position} of the block: an entry of {rest + count} bytes, of which "
                                 f"{end - begin} are there, with {shared} from a key of {len(key)}")
        if shared + rest > LONGEST:
            raise Corrupt(start, f"byte {position} of the block: a key of {shared + rest} bytes")
        key = key[:shared] + block[begin:begin + rest]
        position = begin + rest + count
        yield key, block[begin + rest:position]


class _Block:
    """A block that is being written."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.places: list[int] = []
        self.size = self.count = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self.count % RESTARTS:
            shared = len(os.path.commonprefix([self.last, key]))
        else:
            self.places.append(self.size)
        part = varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        self.parts.append(part)
        self.size += len(part)
        self.count += 1
        self.last = key

    def bytes(self) -> bytes:
        places = self.places or [0]
        return b"".join([*self.parts, struct.pack(f"<{len(places) + 1}I", *places, len(places))])


def _write_block(file: BinaryIO, block: _Block) -> bytes:
    """Write `block` and return where it is."""
    content, start = block.bytes(), file.tell()
    kind = bytes([PLAIN])
    file.write(content + kind + struct.pack("<I", masked(crc32c(content + kind))))
    return varint(start) + varint(len(content))
