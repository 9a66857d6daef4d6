"""LevelDbReader: the records of a LevelDB, in the order of their keys."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from pathlib import Path

from blobnet.data.stores.base import HINT, Reader
from blobnet.data.stores.leveldb_format import TAG, Entry, damaged
from blobnet.data.stores.leveldb_log import read_batches
from blobnet.data.stores.leveldb_table import read_table
from blobnet.data.stores.leveldb_version import Table, read_version
from blobnet.errors import DataError


class LevelDbReader(Reader):
    """Reads a LevelDB; see Reader. All checksums are checked.

    A LevelDB does not know how many records it holds: they are counted when the number is needed for the first time,
    or when the first run has come to the end. A table file is opened when its turn comes; log files are read at the
    start and kept in memory.
    """

    kind = "LevelDB"
    _value: tuple | None  # the next record: its key and its value

    def __init__(self, path: str | os.PathLike):
        super().__init__(path)
        self._folder = Path(path)
        self._levels = self._find_tables()
        self._recent = self._read_logs()
        self._size: int | None = None
        self._rewind()

    def __len__(self) -> int:
        if self._size is None:
            self._size = sum(1 for _ in self._records())
        return self._size

    def seek(self, n: int) -> None:
        if self._size is not None:
            n %= self._size
        if n < self.position:
            self._rewind()
        while self.position != n:
            self.read()
            if self._size is not None:
                n %= self._size

    def read(self) -> bytes:
        _, value = self._value
        self.position += 1
        self._value = next(self._run, None)
        if self._value is None:
            self._size = self.position
            self._rewind()
        return value

    def _rewind(self) -> None:
        self.position, self._run = 0, self._records()
        self._value = next(self._run, None)
        if self._value is None:
            raise DataError(self.where, "holds no record")

    def keys(self) -> Iterator[bytes]:
        return (key for key, _ in self._records())

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        last = None
        for key, number, value in heapq.merge(self._recent, *map(_chain, self._levels)):
            if key != last:  # otherwise this is an older entry of the same key
                last = key
                if -number & 1:  # not a deletion
                    yield key, value

    def _find_tables(self) -> list[list[Path]]:
        """Lists of table files in the order of their keys: of level 0 each file alone, of other levels all files."""
        try:
            self._version = read_version(self._folder)
            levels: dict[tuple[int, int], list[tuple[bytes, Path]]] = {}
            for (level, number), table in sorted(self._version.tables.items()):
                path = self._table(table)
                levels.setdefault((level, 0 if level else number), []).append((table.smallest[:-TAG.size], path))
            return [[path for _, path in sorted(tables)] for tables in levels.values()]
        except OSError as error:
            raise DataError(self.where, f"cannot be opened ({error})", hint=HINT) from error

    def _table(self, table: Table) -> Path:
        """The file of `table`, which must have the size that the manifest says."""
        names = [f"{table.number:06}.{suffix}" for suffix in ("ldb", "sst")]
        found = next((self._folder / name for name in names if (self._folder / name).is_file()), None)
        if found is None:
            raise DataError(self.where, f"there is no file {names[0]}", hint=HINT)
        if found.stat().st_size != table.size:
            raise DataError(f"LevelDB file {str(found)!r}", expected=f"{table.size} bytes",
                            got=found.stat().st_size, hint=HINT)
        return found

    def _read_logs(self) -> list[Entry]:
        version, entries = self._version, []
        for path in self._folder.glob("*.log"):
            number = int(path.stem) if path.stem.isdecimal() else -1
            if number >= version.log or number == version.former_log > 0:
                try:
                    entries += [(key, -tag, value) for key, tag, value in read_batches(path)]
                except OSError as error:
                    raise damaged(path, 0, f"cannot be read ({error})") from error
        return sorted(entries)


def _chain(paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        yield from read_table(path)
