"""Reader and Writer: what the databases LMDB and LevelDB have in common."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from blobnet.errors import DataError

HINT = "the database is damaged or incomplete: copy or make it again"


class Reader:
    """The records of a database from first to last, and then from the first again. `len` is their number.

    `where` is the database as errors call it, `position` the number of the record that is read next.
    Two threads must not use one reader at the same time, but several readers may read one database. Nothing is locked
    or changed. Raises DataError for a database that is damaged or holds no record.
    """

    kind = "database"
    position: int

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.where = f"{self.kind} {self.path!r}"

    def __len__(self) -> int:
        raise NotImplementedError

    def seek(self, n: int) -> None:
        """Go to record `n` modulo the number of records, by stepping over those between."""
        raise NotImplementedError

    def read(self) -> bytes | memoryview:
        """The value of the next record."""
        raise NotImplementedError

    def check(self) -> None:
        """Call this before you look at values that were read earlier; DataError if they can no longer be looked at.

        Here it does nothing: the values are copies of what is in the files.
        """

    def keys(self) -> Iterator[bytes]:
        """The keys from the first on; reading does not disturb them, nor they the reading."""
        raise NotImplementedError


class Writer:
    """Writes a new database; it appears under its name, complete, when the `with` block ends without an error.

        with LmdbWriter("train_lmdb") as writer:
            writer.put(b"00000000", datum.SerializeToString())

    DataError if there is something of this name already, or no folder to write it into.
    """

    kind = "database"
    folder: Path  # where the files are written, until they get their name

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.where = f"{self.kind} {str(self.path)!r}"

    def __enter__(self):
        if self.path.exists():
            raise DataError(self.where, "is there already", hint="remove it or write elsewhere")
        if not self.path.parent.is_dir():
            raise DataError(self.where, f"there is no folder {str(self.path.parent)!r}", hint="make it first")
        self._temporary = tempfile.TemporaryDirectory(prefix=f".{self.path.name}_", dir=self.path.parent)
        self.folder = Path(self._temporary.name, self.path.name)
        self.folder.mkdir()
        self.open()
        return self

    def __exit__(self, kind, error, trace) -> None:
        with self._temporary:
            try:
                if kind is None:
                    self.finish()
            finally:
                self.close()
            if kind is None:
                os.replace(self.folder, self.path)

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; one of the same key is replaced."""
        raise NotImplementedError

    def open(self) -> None:
        """Begin to write into `folder`."""

    def finish(self) -> None:
        """Write what is not in the files yet."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the files, also after an error."""
