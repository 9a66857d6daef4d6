"""CRC-32C, the checksum of Castagnoli's polynomial, and LevelDB's masked form of it.

A chunk of a fixed number of bytes is summed up at once: the checksum is linear, so the part of every byte in it can be
looked up by its place, and all be added (exclusive or). Source: RFC 3720, appendix B.4.
"""

from __future__ import annotations

import functools
import operator
from functools import cache

import numpy as np

POLYNOMIAL = 0x82F63B78  # bits reversed
CHUNK = 1024  # bytes that are looked up together; the table has CHUNK * 256 entries
MASK = 0xA282EAD8


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    octets = np.frombuffer(data, np.uint8)
    head, crc = len(octets) % CHUNK, 0xFFFFFFFF
    if head:
        crc = _sums(octets[np.newaxis, :head])[0] ^ _after(crc, head)
    first = _first_four()
    for part in _sums(octets[head:].reshape(-1, CHUNK)):  # the sum so far acts as if added to the first four bytes
        crc = part ^ first[crc & 255] ^ first[256 + (crc >> 8 & 255)] ^ first[512 + (crc >> 16 & 255)] \
            ^ first[768 + (crc >> 24)]
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """`crc` as LevelDB stores it, so that sums over data with sums in it stay good ones."""
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def _sums(rows: np.ndarray) -> list[int]:
    """What the bytes of every row add to the checksum."""
    table, width = _table(), rows.shape[1]
    places = np.arange(CHUNK - width, CHUNK) * 256
    return np.bitwise_xor.reduce(table.take(rows + places), axis=1).tolist()


def _after(crc: int, size: int) -> int:
    """What becomes of `crc` when `size` zero bytes follow, fewer than CHUNK."""
    start = (CHUNK - size) * 256
    return functools.reduce(operator.xor, (int(_table()[start + place * 256 + (crc >> 8 * place & 255)])
                                           for place in range(min(size, 4))), crc >> 8 * size)


@cache
def _first_four() -> list[int]:
    return _table()[:4 * 256].tolist()


@cache
def _table() -> np.ndarray:
    """The sums, without inversions, of every byte with CHUNK - 1 zero bytes behind it, then with CHUNK - 2, … 0."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = first >> 1 ^ np.where(first & 1, np.uint32(POLYNOMIAL), np.uint32(0))
    rows = [first]
    for _ in range(CHUNK - 1):
        rows.append(first[rows[-1] & 255] ^ rows[-1] >> 8)
    return np.concatenate(rows[::-1])
