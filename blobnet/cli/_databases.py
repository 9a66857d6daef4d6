"""Databases of commands: the option --backend, opening one and writing one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from blobnet.cli._flags import flag
from blobnet.data.stores.base import Reader
from blobnet.data.stores.database import database_kind, open_database
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError

WRITERS = {"lmdb": LmdbWriter, "leveldb": LevelDbWriter}  # of a new database: context managers with put(key, value)


def add_backend_flag(parser: argparse._ActionsContainer, default: str | None, help: str) -> None:
    """Add --backend."""
    flag(parser, "--backend", choices=WRITERS, default=default, help=help)


def open_reader(path: str | os.PathLike, backend: str | None) -> Reader:
    """A reader of the database at `path`; DataError unless it is of the kind that `backend` says, if it is given."""
    kind = database_kind(path)
    if backend and kind != backend.upper():
        raise DataError(f"database {os.fspath(path)!r}", expected=f"a database of backend {backend}", got=kind.lower(),
                        hint=f"write --backend={kind.lower()}, or leave it out")
    return open_database(path, kind)


def require_folder_of(path: str | os.PathLike) -> None:
    """DataError unless there is a folder to write `path` into, which is better known before the work than after it."""
    folder = Path(path).parent
    if not folder.is_dir():
        raise DataError(os.fspath(path), f"cannot write: there is no folder {str(folder)!r}", hint="create it first")
