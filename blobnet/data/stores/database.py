"""Opening a database by Caffe's `backend`, and saying what a folder is when it is not that."""

from __future__ import annotations

import os
from pathlib import Path

from blobnet.data.stores.base import Reader
from blobnet.data.stores.leveldb_reader import LevelDbReader
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.errors import VERY_NEAR, DataError, did_you_mean, nearest

READERS: dict[str, type[Reader]] = {"LMDB": LmdbReader, "LEVELDB": LevelDbReader}


def database_kind(path: str | os.PathLike) -> str:
    """"LMDB" or "LEVELDB", judged by the files in the folder `path`; DataError if it is neither."""
    folder = Path(path)
    where = f"database {os.fspath(path)!r}"
    try:
        if not folder.exists():
            raise DataError(where, "no such folder", hint=_remedy(folder))
        if not folder.is_dir():
            raise DataError(where, expected="a folder", got="a file", hint="give the folder that holds data.mdb")
        names = sorted(item.name for item in folder.iterdir())
    except OSError as error:
        raise DataError(where, f"cannot be read ({error.strerror})") from error
    if "data.mdb" in names:
        return "LMDB"
    if "CURRENT" in names and any(name.startswith("MANIFEST-") for name in names):
        return "LEVELDB"
    raise DataError(where, expected="the files of an LMDB (data.mdb) or LevelDB (CURRENT, MANIFEST-…)",
                    got=", ".join(names[:5]) + ", …" * (len(names) > 5) if names else "an empty folder")


def is_database(path: str | os.PathLike) -> bool:
    """Whether the folder `path` is a database."""
    try:
        database_kind(path)
    except DataError:
        return False
    return True


def _remedy(folder: Path) -> str:
    """What to do where there is no `folder`."""
    from blobnet.data.sets import SETS, import_command, set_paths  # a later room: only for the hint

    siblings = [item.name for item in folder.parent.iterdir()] if folder.parent.is_dir() else []
    hints = [did_you_mean(nearest(folder.name, siblings, cutoff=VERY_NEAR))]
    hints += [f"import it: {import_command(name, folder.parent)}" for name in SETS
              if folder in set_paths(name, folder.parent)]
    return "; ".join(filter(None, [*hints, "" if folder.is_absolute() else f"paths start from {os.getcwd()!r}"]))


def open_database(path: str | os.PathLike, backend: str | None = None) -> Reader:
    """A reader of the database at `path`; DataError if it is of another kind than `backend` ("LMDB", "LEVELDB")."""
    kind = database_kind(path)
    if backend is not None and kind != backend:
        hint = f"write backend: {kind} in data_param" + " (LEVELDB is the default)" * (kind == "LMDB")
        raise DataError(f"database {os.fspath(path)!r}", expected=f"a database of backend {backend}", got=kind,
                        hint=hint)
    return READERS[kind](path)
