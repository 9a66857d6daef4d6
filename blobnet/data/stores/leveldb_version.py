"""Which files make up a LevelDB: its manifest, a log of changes, named in the file CURRENT.

Source: https://github.com/google/leveldb/blob/main/doc/impl.md
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from blobnet.data.stores.base import HINT
from blobnet.data.stores.leveldb_format import damaged, read_text
from blobnet.data.stores.leveldb_log import log_bytes, read_log
from blobnet.errors import DataError
from blobnet.proto.wire import Corrupt, read_varint, varint

COMPARATOR, LOG, NEXT_FILE, LAST_SEQUENCE, COMPACTED, DELETED, ADDED, FORMER_LOG = 1, 2, 3, 4, 5, 6, 7, 9
BYTEWISE = b"leveldb.BytewiseComparator"
LEVELS = 7


@dataclasses.dataclass(frozen=True)
class Table:
    """A table file: its number and size, and the first and last key in it."""

    number: int
    size: int
    smallest: bytes
    largest: bytes


@dataclasses.dataclass
class Version:
    """tables: by level and number; from level 1 on, those of one level do not overlap in their keys.

    What is not in tables is in the log files of the number `log` and above, and in that of the number `former_log`.
    """

    tables: dict[tuple[int, int], Table] = dataclasses.field(default_factory=dict)
    log: int = 0
    former_log: int = 0


def read_version(folder: Path) -> Version:
    """The files of the database in `folder`; DataError for a damaged manifest."""
    current = folder / "CURRENT"
    name = current.read_bytes().rstrip(b"\n").decode("utf-8", "replace")
    if not name.startswith("MANIFEST-") or "/" in name or not (folder / name).is_file():
        raise DataError(f"LevelDB file {str(current)!r}", expected="the name of a manifest beside it", got=repr(name),
                        hint=HINT)
    version, fields = Version(), set()
    for offset, record in read_log(folder / name):
        try:
            fields |= _apply(version, _Fields(record))
        except Corrupt as error:
            raise damaged(folder / name, offset, f"in the record that ends here, at byte {error.offset}: {error}"
                          ) from None
    if not {LOG, NEXT_FILE, LAST_SEQUENCE} <= fields:
        raise damaged(folder / name, (folder / name).stat().st_size, "the manifest ends before it says what to read")
    return version


def write_version(folder: Path, level: int, tables: Iterable[Table], next_file: int, sequence: int) -> None:
    """Write a manifest for a database of `tables`, all of one level, and CURRENT."""
    edit = _text(COMPARATOR, BYTEWISE)
    for field, number in ((LOG, next_file), (NEXT_FILE, next_file + 1), (LAST_SEQUENCE, sequence)):
        edit += varint(field) + varint(number)
    for table in tables:
        edit += varint(ADDED) + varint(level) + varint(table.number) + varint(table.size)
        for key in (table.smallest, table.largest):
            edit += varint(len(key)) + key
    (folder / "MANIFEST-000001").write_bytes(log_bytes([edit]))
    (folder / "CURRENT").write_bytes(b"MANIFEST-000001\n")


def _apply(version: Version, edit: _Fields) -> set[int]:
    """Make the changes of one record; return which fields it has."""
    fields = set()
    while edit.position < len(edit.view):
        start, field = edit.position, edit.number()
        fields.add(field)
        if field == COMPARATOR:
            if (name := edit.text()) != BYTEWISE:
                raise Corrupt(start, f"keys in the order {name!r}, not {BYTEWISE!r}")
        elif field == LOG:
            version.log = edit.number()
        elif field == FORMER_LOG:
            version.former_log = edit.number()
        elif field in (NEXT_FILE, LAST_SEQUENCE):
            edit.number()
        elif field == COMPACTED:
            edit.number(), edit.text()
        elif field == DELETED:
            version.tables.pop((edit.number(), edit.number()), None)
        elif field == ADDED:
            level, table = edit.number(), Table(edit.number(), edit.number(), edit.text(), edit.text())
            if level >= LEVELS:
                raise Corrupt(start, f"a table in level {level} of {LEVELS}")
            version.tables[level, table.number] = table
        else:
            raise Corrupt(start, f"a field of number {field}")
    return fields


class _Fields:
    """Reads numbers and texts one after another."""

    def __init__(self, record: bytes):
        self.view, self.position = memoryview(record), 0

    def number(self) -> int:
        value, self.position = read_varint(self.view, self.position, len(self.view))
        return value

    def text(self) -> bytes:
        value, self.position = read_text(self.view, self.position)
        return value


def _text(field: int, value: bytes) -> bytes:
    return varint(field) + varint(len(value)) + value
