"""LevelDbWriter: LevelDB databases as Caffe's convert tools write them with --backend leveldb."""

from __future__ import annotations

import os

from blobnet.data.stores.base import Writer
from blobnet.data.stores.leveldb_format import TAG
from blobnet.data.stores.leveldb_table import write_table
from blobnet.data.stores.leveldb_version import LEVELS, Table, write_version

FLUSH = 1 << 25  # bytes that the writer keeps before it writes a table


class LevelDbWriter(Writer):
    """Writes a new LevelDB; see Writer. Blocks are not compressed.

    Records are best put in the order of their keys: otherwise the tables overlap, and reading is slower.
    """

    kind = "LevelDB"

    def __init__(self, path: str | os.PathLike):
        super().__init__(path)
        self._pending: dict[bytes, tuple[int, bytes]] = {}
        self._bytes = self._sequence = 0
        self._tables: list[Table] = []

    def put(self, key: bytes, value: bytes) -> None:
        self._sequence += 1
        self._pending[key] = self._sequence << 8 | 1, value
        self._bytes += len(key) + len(value)
        if self._bytes >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            number = len(self._tables) + 2  # after the manifest's
            entries = ((key, *self._pending[key]) for key in sorted(self._pending))
            self._tables.append(Table(number, *write_table(self.folder / f"{number:06}.ldb", entries)))
        self._pending, self._bytes = {}, 0

    def finish(self) -> None:
        self._flush()
        keys = [key[:-TAG.size] for table in self._tables for key in (table.smallest, table.largest)]
        ordered = all(a < b for a, b in zip(keys[1::2], keys[2::2]))
        write_version(self.folder, LEVELS - 1 if ordered else 0, self._tables, len(self._tables) + 2, self._sequence)
