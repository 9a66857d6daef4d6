"""LevelDB databases, as Caffe's convert tools write them with --backend leveldb: records in the order of their keys."""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from blobnet.data.leveldb_log import HINT, damaged, read_batches
from blobnet.data.leveldb_table import TAG, Entry, read_table, write_table
from blobnet.data.leveldb_version import LEVELS, Table, read_version, write_version
from blobnet.errors import DataError

FLUSH = 1 << 25  # bytes that the writer keeps before it writes a table


class LevelDbReader:
    """The records of a LevelDB from first to last, and then from the first again. `len` is their number.

    A LevelDB does not know how many records it holds: they are counted when the number is needed first, and at the end
    of the first run. Files are opened when their turn comes; what only a log file holds is kept in memory.
    Not to be used by two threads at once; several readers of one database may be. Nothing is locked or changed.
    Raises DataError for a damaged database, all of whose checksums are checked, or one without a record.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.where = f"LevelDB {self.path!r}"
        self._folder = Path(path)
        self._levels = self._find_tables()
        self._recent = self._read_logs()
        self._size: int | None = None
        self.position = 0  # of the record that is read next
        self._rewind()

    def __len__(self) -> int:
        if self._size is None:
            self._size = sum(1 for _ in self._records())
        return self._size

    def seek(self, n: int) -> None:
        """Go to record `n` modulo the number of records, by stepping over those between."""
        if self._size is not None:
            n %= self._size
        if n < self.position:
            self._rewind()
        while self.position != n:
            self.read()
            if self._size is not None:
                n %= self._size

    def read(self) -> bytes:
        """The value of the next record."""
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

    def check(self) -> None:
        """Nothing: values are copies of what is in the files (see LmdbReader)."""

    def keys(self) -> Iterator[bytes]:
        """The keys from the first on, whatever is read meanwhile."""
        return (key for key, _ in self._records())

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        last = None
        for key, number, value in heapq.merge(self._recent, *map(_chain, self._levels)):
            if key != last:  # else an older entry of that key
                last = key
                if -number & 1:  # not a deletion
                    yield key, value

    def _find_tables(self) -> list[list[Path]]:
        """The table files: single ones, whose keys may overlap, and those of a level, in the order of their keys."""
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


class LevelDbWriter:
    """Writes a new LevelDB; it appears under its name, complete, when the `with` block ends without an error.

        with LevelDbWriter("train_leveldb") as writer:
            writer.put(b"00000000", datum.SerializeToString())

    Keys that come in their order cost nothing; others make tables that overlap. Blocks are not compressed.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.where = f"LevelDB {str(self.path)!r}"
        self._pending: dict[bytes, tuple[int, bytes]] = {}
        self._bytes = self._sequence = 0
        self._tables: list[Table] = []

    def __enter__(self) -> LevelDbWriter:
        if self.path.exists():
            raise DataError(self.where, "is there already", hint="remove it or write elsewhere")
        if not self.path.parent.is_dir():
            raise DataError(self.where, f"there is no folder {str(self.path.parent)!r}", hint="make it first")
        self._folder = tempfile.TemporaryDirectory(prefix=f".{self.path.name}_", dir=self.path.parent)
        self._inside = Path(self._folder.name, self.path.name)
        self._inside.mkdir()
        return self

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; one of the same key is replaced."""
        self._sequence += 1
        self._pending[key] = self._sequence << 8 | 1, value
        self._bytes += len(key) + len(value)
        if self._bytes >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            number = len(self._tables) + 2  # after the manifest's
            entries = ((key, *self._pending[key]) for key in sorted(self._pending))
            self._tables.append(Table(number, *write_table(self._inside / f"{number:06}.ldb", entries)))
        self._pending, self._bytes = {}, 0

    def __exit__(self, kind, error, trace) -> None:
        with self._folder:
            if kind is None:
                self._flush()
                keys = [key[:-TAG.size] for table in self._tables for key in (table.smallest, table.largest)]
                ordered = all(a < b for a, b in zip(keys[1::2], keys[2::2]))
                write_version(self._inside, LEVELS - 1 if ordered else 0, self._tables, len(self._tables) + 2,
                              self._sequence)
                os.replace(self._inside, self.path)


def _chain(paths: list[Path]) -> Iterator[Entry]:
    for path in paths:
        yield from read_table(path)
