"""Some records of a database in another one."""

from __future__ import annotations

import os
from collections.abc import Iterable

from blobnet.data.stores.database import open_database
from blobnet.data.stores.lmdb_writer import LmdbWriter


def copy_records(source: str | os.PathLike, target: str | os.PathLike, numbers: Iterable[int]) -> None:
    """Write the records `numbers` of the database `source` to a new LMDB, under their keys. DataError as for Writer."""
    reader, wanted = open_database(source), set(numbers)
    with LmdbWriter(target) as writer:
        for n, key in enumerate(reader.keys()):
            value = reader.read()
            if n in wanted:
                writer.put(key, bytes(value))
