"""Blocks of LevelDB's tables: entries in the order of their keys.

A block is its entries, the places of those entries whose keys are written out, and the number of these places. Of any
other key it holds only what differs from the key before. Behind the block stand its compression (0 none, 1 Snappy) and
a checksum.
Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

import cramjam

from blobnet.data.stores.leveldb_format import checksum, place
from blobnet.proto.budget import require
from blobnet.proto.wire import Corrupt, read_varint, varint

TRAILER = 5  # bytes behind a block
PLAIN, SNAPPY = 0, 1
MOST = 22  # times its size that Snappy can unpack to at most: it writes a copy of 64 bytes as 3
RESTARTS = 16  # a writer writes one key of so many out
LONGEST = 1 << 13  # bytes of a key; Caffe's are numbers and paths


def read_bytes(file: BinaryIO, start: int, count: int) -> bytes:
    """`count` bytes of `file` from `start` on; raises Corrupt if they are not all there."""
    file.seek(start)
    data = file.read(count)
    if len(data) != count:
        raise Corrupt(start + len(data), "the file was cut off while it was read")
    return data


def read_block(file: BinaryIO, start: int, length: int, size: int) -> bytes:
    """The block of `length` bytes at `start` in a file of `size` bytes, unpacked; raises Corrupt.

    DataError if it would unpack to more memory than a file may ask for.
    """
    if start + length + TRAILER > size:
        raise Corrupt(min(start, size), f"a block ends at byte {start + length + TRAILER} of {size}")
    data = read_bytes(file, start, length + TRAILER)
    view, kind = memoryview(data), data[length]
    if checksum(view[:length + 1]) != int.from_bytes(data[length + 1:], "little"):
        raise Corrupt(start, "the checksum of a block is wrong")
    if kind == PLAIN:
        return data[:length]
    if kind == SNAPPY:
        return _unpack(view[:length], start, place(file.name, start), size)
    raise Corrupt(start + length, f"a block of compression {kind}, not 0 (none) or 1 (Snappy)")


def _unpack(packed: memoryview, start: int, where: str, size: int) -> bytes:
    """What Snappy made `packed` of. The length that it claims is checked before there is memory for it."""
    try:
        length, _ = read_varint(packed, 0, len(packed))
    except Corrupt as error:
        raise Corrupt(start + error.offset, str(error)) from None
    if length > MOST * len(packed):
        raise Corrupt(start, f"a block of {len(packed)} packed bytes that claims to unpack to {length}")
    require(length, where, "an unpacked block", size)
    plain = bytearray(length)  # ours: where there is no memory, the library would end the process
    try:
        count = cramjam.snappy.decompress_raw_into(packed, plain)
    except cramjam.DecompressionError as error:
        raise Corrupt(start, f"a block that cannot be unpacked ({error})") from None
    if count != length:
        raise Corrupt(start, f"a block that unpacks to {count} bytes instead of {length}")
    return bytes(plain)


def read_entries(block: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values in `block`, which stands at the byte `start` of its file; raises Corrupt."""
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


class Block:
    """A block that is being written."""

    def __init__(self):
        self.parts: list[bytes] = []
        self.places: list[int] = []
        self.size = self.count = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        """Add an entry; its key must not be before the last one."""
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
        """The whole block, without what stands behind it."""
        places = self.places or [0]
        return b"".join([*self.parts, struct.pack(f"<{len(places) + 1}I", *places, len(places))])


def write_block(file: BinaryIO, block: Block) -> bytes:
    """Write `block`, not compressed, and return its handle: where it is, as two varints."""
    content, start = block.bytes(), file.tell()
    kind = bytes([PLAIN])
    file.write(content + kind + struct.pack("<I", checksum(content + kind)))
    return varint(start) + varint(len(content))
