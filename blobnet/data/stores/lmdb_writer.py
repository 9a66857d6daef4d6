"""LmdbWriter: LMDB databases as Caffe's convert tools write them."""

from __future__ import annotations

import os

import lmdb

from blobnet.data.stores.base import Writer
from blobnet.errors import DataError

SMALLEST = 1 << 22  # bytes of the map at first; it doubles when it is full


class LmdbWriter(Writer):
    """Writes a new LMDB; see Writer. Records are committed by `commit_every` at a time."""

    kind = "LMDB"

    def __init__(self, path: str | os.PathLike, commit_every: int = 1000):
        super().__init__(path)
        self.commit_every = commit_every
        self._pending: list[tuple[bytes, bytes]] = []

    def open(self) -> None:
        self._environment = lmdb.open(str(self.folder), map_size=SMALLEST, sync=False, lock=False, mode=0o644)

    def put(self, key: bytes, value: bytes) -> None:
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

    def finish(self) -> None:
        self._commit()
        self._environment.sync(True)

    def close(self) -> None:
        self._environment.close()
