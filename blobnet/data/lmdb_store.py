"""LMDB databases, as Caffe's convert tools write them: records in the order of their keys."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import lmdb

from blobnet.data.lmdb_pages import read_head, records
from blobnet.errors import DataError
from blobnet.proto.wire import Corrupt

HINT = "the database is damaged or incomplete: copy or make it again"


class LmdbReader:
    """The records of an LMDB from first to last, and then from the first again. `len` is their number.

    Not to be used by two threads at once; several readers of one database may be. Nothing is locked or changed.
    Raises DataError for a folder that is not an LMDB or holds no record, and for a damaged one.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.where = f"LMDB {self.path!r}"
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
        """Go to record `n` modulo the number of records, by stepping over those between."""
        n %= len(self)
        if n < self.position:
            self._rewind()
        while self.position < n:
            self.read()

    def read(self) -> memoryview:
        """The value of the next record, which is valid as long as the reader."""
        record = next(self._run, None)
        if record is None:
            raise DataError(self.where, expected=f"{len(self)} records", got=self.position, hint=HINT)
        self.position += 1
        if self.position == len(self):
            self._rewind()
        return record[1]

    def check(self) -> None:
        """DataError if the file was cut off meanwhile: the system ends a process that looks at what is not there.

        Values that were read before are parts of the file too, so this is to be asked before a look at them.
        """
        if self._map.size() < len(self._map):
            raise DataError(f"{self.where}: data.mdb", "was cut off while it was read", got=f"{self._map.size()} bytes",
                            expected=len(self._map), hint=HINT)

    def keys(self) -> Iterator[bytes]:
        """The keys from the first on, whatever is read meanwhile."""
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


class LmdbWriter:
    """Writes a new LMDB; it appears under its name, complete, when the `with` block ends without an error.

        with LmdbWriter("train_lmdb") as writer:
            writer.put(b"00000000", datum.SerializeToString())
    """

    def __init__(self, path: str | os.PathLike, commit_every: int = 1000):
        self.path, self.commit_every = Path(path), commit_every
        self.where = f"LMDB {str(self.path)!r}"
        self._pending: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> LmdbWriter:
        if self.path.exists():
            raise DataError(self.where, "is there already", hint="remove it or write elsewhere")
        if not self.path.parent.is_dir():
            raise DataError(self.where, f"there is no folder {str(self.path.parent)!r}", hint="make it first")
        self._folder = tempfile.TemporaryDirectory(prefix=f".{self.path.name}_", dir=self.path.parent)
        self._inside = os.path.join(self._folder.name, self.path.name)
        os.mkdir(self._inside)
        self._environment = lmdb.open(self._inside, map_size=1 << 22, sync=False, lock=False, mode=0o644)
        return self

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; one of the same key is replaced."""
        self._pending.append((key, value))
        if len(self._pending) >= self.commit_every:
            self._commit()

    def _commit(self) -> None:
        try:
            with self._environment.begin(write=True) as transaction:
                transaction.cursor().putmulti(self._pending)
        except lmdb.MapFullError:
            self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            self._commit()
        except lmdb.Error as error:
            raise DataError(self.where, f"cannot be written ({error})") from error
        self._pending.clear()

    def __exit__(self, kind, error, trace) -> None:
        with self._folder:
            try:
                if kind is None:
                    self._commit()
                    self._environment.sync(True)
            finally:
                self._environment.close()
            if kind is None:
                os.replace(self._inside, self.path)
