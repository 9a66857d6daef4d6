"""The bytes of an HDF5 file, every step of reading them checked.

Source: HDF5 File Format Specification 3.0, https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import os
from io import BufferedReader
from pathlib import Path

import numpy as np

from blobnet.proto.wire import Corrupt

SUFFIXES = (".h5", ".hdf5")
SIGNATURE = b"\x89HDF\r\n\x1a\n"
REREAD = 8          # times its size that the structure of a file may be read: what refers to itself ends here
LEAST = 1 << 20     # bytes of structure that any file may have read
UNDEFINED = (1 << 64) - 1


def named_hdf5(path: str | os.PathLike) -> bool:
    """Whether the name `path` ends as those of HDF5 files do."""
    return Path(path).suffix.lower() in SUFFIXES


def is_hdf5(path: str | os.PathLike) -> bool:
    """Whether `path` is named as an HDF5 file, or is a file that begins as one."""
    if named_hdf5(path):
        return True
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


class Source:
    """An open file, its size, and the address of its root group's header. Addresses count from its superblock.

    All numbers of a file have 8 bytes where the file says how many, as all files of 64-bit machines have. Raises
    Corrupt if it is no such file, or is cut off.
    """

    def __init__(self, file: BufferedReader):
        self.file, self.base, self.spent = file, 0, 0
        self.size = os.fstat(file.fileno()).st_size
        start = 0
        while self._peek(start) != SIGNATURE:  # text for people may stand before it
            start = 2 * start or 512
            if start >= self.size:
                raise Corrupt(0, "no HDF5 file: the signature is missing" if self.size else "an empty file")
        head = self.cursor(start, 104)
        head.skip(8)
        version = head.number(1)
        if version > 3:
            raise Corrupt(start + 8, f"version {version} of the format")
        head.skip(4 if version < 2 else 0)
        widths = head.number(1), head.number(1)
        if widths != (8, 8):
            raise Corrupt(start + 13, f"addresses and lengths of {widths} bytes, not 8 and 8")
        head.skip((9, 13, 1, 1)[version])
        base, _, end = head.number(8), head.number(8), head.number(8)
        head.skip(16 if version < 2 else 0)
        self.root = head.number(8)
        if base > start:
            raise Corrupt(start, f"addresses that count from {base}, behind the superblock")
        if end > self.size:
            raise Corrupt(self.size, f"the file ends here, and should have {end} bytes")
        self.base = base

    def _peek(self, start: int) -> bytes:
        self.file.seek(start)
        return self.file.read(len(SIGNATURE))

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes of the structure of the file."""
        self.spent += count
        if self.spent > REREAD * self.size + LEAST:
            raise Corrupt(address, "its structure refers to itself")
        return self.data(address, count)

    def data(self, address: int, count: int) -> bytes:
        """`count` bytes at `address`."""
        self.check(address, count)
        self.file.seek(self.base + address)
        data = self.file.read(count)
        if len(data) != count:
            raise Corrupt(address + len(data), "the file was cut off while it was read")
        return data

    def array(self, address: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The numbers at `address`."""
        size = count_bytes(shape, dtype)
        self.check(address, size)
        values = np.empty(shape, dtype)
        self.file.seek(self.base + address)
        if self.file.readinto(values.reshape(-1).view(np.uint8).data) != size:
            raise Corrupt(address, "the file was cut off while it was read")
        return values

    def cursor(self, address: int, count: int, signature: bytes = b"") -> Cursor:
        """At most `count` bytes at `address`, which must begin with `signature`."""
        if not 0 <= address < self.size - self.base:
            raise Corrupt(min(address, self.size), f"address {address}, outside of the file")
        cursor = Cursor(self.read(address, min(count, self.size - self.base - address)), address)
        if cursor.take(len(signature)) != signature:
            raise Corrupt(address, f"no {signature.decode()} here")
        return cursor

    def check(self, address: int, count: int) -> None:
        """Raise Corrupt unless the file has `count` bytes at `address`."""
        if address + count > self.size - self.base:
            raise Corrupt(min(address, self.size), f"{count} bytes at {address}, where the file has {self.size}")


class Cursor:
    """Reads one thing after another from bytes that stood at `origin`."""

    def __init__(self, data: bytes, origin: int = 0):
        self.data, self.origin, self.position = data, origin, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise Corrupt(self.origin + self.position, f"{count} bytes, of which {self.left} are there")
        self.position += count
        return self.data[self.position - count:self.position]

    def skip(self, count: int) -> None:
        self.take(count)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def numbers(self, count: int, size: int = 8) -> tuple[int, ...]:
        return tuple(self.number(size) for _ in range(count))

    def expect(self, what: str, *values: int, size: int = 1) -> int:
        """The next number, which must be one of `values`."""
        value = self.number(size)
        if value not in values:
            raise Corrupt(self.origin + self.position - size, f"{what} {value}")
        return value


def count_bytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    size = np.dtype(dtype).itemsize
    for dim in shape:
        size *= dim
    return size
