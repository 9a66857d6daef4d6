"""LevelDB's log files: records in blocks of 32 KiB. The manifest is one; others hold what is not in tables yet.

A record lies in one piece or in several; a piece is its checksum, size and kind, and its bytes.
Source: https://github.com/google/leveldb/blob/main/doc/log_format.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

from blobnet.data.stores.leveldb_format import checksum, damaged, read_text
from blobnet.proto.wire import Corrupt

BLOCK = 1 << 15
HEADER = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_log(path: str | os.PathLike) -> Iterator[tuple[int, bytes]]:
    """The records of the log file `path`, each with the byte at which its last piece begins.

    DataError for a damaged file, also for a last record that is cut off, which LevelDB itself drops without an error.
    """
    begun: list[bytes] = []
    with open(path, "rb") as file:
        start = 0
        while block := file.read(BLOCK):
            position = 0
            while len(block) - position >= HEADER.size:
                offset = start + position
                expected, size, kind = HEADER.unpack_from(block, position)
                position += HEADER.size
                if kind == size == expected == 0:
                    position = len(block)  # reserved, but not written
                    break
                if size > len(block) - position:
                    raise damaged(path, offset, f"a record of {size} bytes, of which {len(block) - position} are there")
                data = block[position:position + size]
                if checksum(memoryview(block)[position - 1:position + size]) != expected:
                    raise damaged(path, offset, "the checksum of a record is wrong")
                if kind not in (FULL, FIRST, MIDDLE, LAST) or bool(begun) != (kind in (MIDDLE, LAST)):
                    raise damaged(path, offset, f"a piece of kind {kind} that does not fit the one before")
                begun.append(data)
                position += size
                if kind in (FULL, LAST):
                    yield offset, b"".join(begun)
                    begun = []
            if len(block) < BLOCK and position < len(block):
                raise damaged(path, start + position, "the last record is cut off")
            start += len(block)
    if begun:
        raise damaged(path, start, "the last record is cut off")


def log_bytes(records: Iterable[bytes]) -> bytes:
    """The content of a log file that holds `records`."""
    out = bytearray()
    for record in records:
        begin, done = 0, False
        while not done:
            room = BLOCK - len(out) % BLOCK - HEADER.size
            if room < 0:
                out += bytes(room + HEADER.size)
                continue
            piece = record[begin:begin + room]
            done = begin + len(piece) == len(record)
            kind = (FULL if done else FIRST) if begin == 0 else (LAST if done else MIDDLE)
            out += HEADER.pack(checksum(bytes([kind]) + piece), len(piece), kind) + piece
            begin += len(piece)
    return bytes(out)


def read_batches(path: str | os.PathLike) -> Iterator[tuple[bytes, int, bytes]]:
    """What the log file `path` of a database puts and deletes: key, sequence number << 8 | kind, value.

    The kind is 1 for a value, 0 for a deletion. DataError for a damaged file.
    """
    for offset, record in read_log(path):
        view, position = memoryview(record), 12
        try:
            if len(record) < 12:
                raise Corrupt(0, "no whole batch")
            sequence, count = struct.unpack_from("<QI", record)
            found = 0
            while position < len(record):
                kind = record[position]
                if kind > 1:
                    raise Corrupt(position, f"an entry of kind {kind}")
                key, position = read_text(view, position + 1)
                value, position = read_text(view, position) if kind else (b"", position)
                yield key, sequence + found << 8 | kind, value
                found += 1
            if found != count:
                raise Corrupt(0, f"a batch of {count} entries, of which {found} are there")
        except Corrupt as error:
            raise damaged(path, offset, f"in the record that ends here, at byte {error.offset}: {error}") from None
