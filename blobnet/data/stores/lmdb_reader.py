"""LmdbReader: the records of an LMDB, in the order of their keys."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from blobnet.data.stores.base import HINT, Reader
from blobnet.data.stores.lmdb_pages import read_head, records
from blobnet.errors import DataError
from blobnet.proto.wire import Corrupt


class LmdbReader(Reader):
    """Reads an LMDB; see Reader. A value is a part of the file, and is valid as long as the reader."""

    kind = "LMDB"

    def __init__(self, path: str | os.PathLike):
        super().__init__(path)
        try:
            with open(Path(path, "data.mdb"), "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._view = memoryview(self._map)
            self._tree = read_head(self._view)
        except (OSError, ValueError) as error:  # ValueError: of an empty file
            raise DataError(self.where, f"cannot be opened ({error})") from error
        except Corrupt as error:
            raise self._damaged(error, "cannot be opened: ") from None
        if not self._tree.records:
            raise DataError(self.where, "holds no record")
        self._rewind()

    def __len__(self) -> int:
        return self._tree.records

    def seek(self, n: int) -> None:
        n %= len(self)
        if n < self.position:
            self._rewind()
        while self.position < n:
            self.read()

    def read(self) -> memoryview:
        record = next(self._run, None)
        if record is None:
            raise DataError(self.where, expected=f"{len(self)} records", got=self.position, hint=HINT)
        self.position += 1
        if self.position == len(self):
            self._rewind()
        return record[1]

    def check(self) -> None:
        """DataError if the file has become shorter: the system ends a process that looks at what is not there."""
        if self._map.size() < len(self._map):
            raise DataError(f"{self.where}: data.mdb", "was cut off while it was read", got=f"{self._map.size()} bytes",
                            expected=len(self._map), hint=HINT)

    def keys(self) -> Iterator[bytes]:
        return (bytes(key) for key, _ in self._records())

    def _rewind(self) -> None:
        self.position, self._run = 0, self._records()  # position: of the record that is read next

    def _records(self) -> Iterator[tuple[memoryview, memoryview]]:
        try:
            self.check()
            for record in records(self._view, self._tree):
                self.check()
                yield record
                self.check()
        except Corrupt as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Corrupt, what: str = "") -> DataError:
        return DataError(f"{self.where}: byte {error.offset} of data.mdb", f"{what}{error}", hint=HINT)
