"""LMDB databases, as Caffe's convert tools write them: records in the order of their keys."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from pathlib import Path

import lmdb

from blobnet.errors import DataError

# LMDB must not open an environment twice in a process: readers share one, which closes with the last of them.
_environments: weakref.WeakValueDictionary[str, lmdb.Environment] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _environment(path: str) -> lmdb.Environment:
    key = os.path.realpath(path)
    with _lock:
        environment = _environments.get(key)
        if environment is None:  # lock=False, so that folders without write permission can be read
            environment = _environments[key] = lmdb.open(key, readonly=True, lock=False, create=False)
        return environment


class LmdbReader:
    """The records of an LMDB from first to last, and then from the first again. `len` is their number.

    Not to be used by two threads at once; several readers of one database may be. Raises DataError for a folder that
    is not an LMDB or holds no record.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.where = f"LMDB {self.path!r}"
        try:
            environment = _environment(self.path)
        except lmdb.Error as error:
            raise DataError(self.where, f"cannot be opened ({error})") from error
        self._size = environment.stat()["entries"]
        self._cursor = environment.begin(buffers=True).cursor()
        self.position = 0  # of the record that is read next
        if not self._cursor.first():
            raise DataError(self.where, "holds no record")

    def __len__(self) -> int:
        return self._size

    def seek(self, n: int) -> None:
        """Go to record `n` modulo the number of records, by stepping over those between."""
        n %= self._size
        if n < self.position:
            self._cursor.first()
            self.position = 0
        while self.position < n:
            self._cursor.next()
            self.position += 1

    def read(self) -> memoryview:
        """The value of the next record, which is valid as long as the reader."""
        value = self._cursor.value()
        self.position += 1
        if not self._cursor.next():
            self._cursor.first()
            self.position = 0
        return value


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
