"""Codes as a script for PostgreSQL with pgvector 0.7 or newer: `psql -1 -v ON_ERROR_STOP=1 -f codes.sql DATABASE`.

It makes a table with the columns

    id      bigint for integers and for the places of items without ids, text for others; the primary key
    code    bit(K), bit 0 of the code first
    label   bigint, the class number; class: text, its name
    labels  bigint[], the numbers of all labels of the item; classes: text[], their names

of which those of labels are there if the codes have labels, fills it, and indexes the codes by pgvector's HNSW. The end
of the script says how the table is asked. Real values stay behind.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.packing import unpack
from blobnet.hashing.upkeep import require_ids
from blobnet.proto.storage import atomic_write

TABLE = "codes"
_LONGEST = 63     # bytes of a name in PostgreSQL, which cuts off longer ones
_WIDEST = 64_000  # bits that pgvector indexes
_CHUNK = 1 << 14
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})  # of the text format of COPY
_QUOTES = str.maketrans({"\\": r"\\", '"': r"\""})  # in an element of an array


def write_sql(codes: Codes, path: str | os.PathLike, table: str = TABLE) -> None:
    """Write the script described at the top of this page, for the table `table`, whole or not at all.

    DataError for ids that are there twice, for text that PostgreSQL cannot hold (NUL, what is not Unicode), and for
    more than 64,000 bits, which pgvector does not index.
    """
    if codes.bits > _WIDEST:
        raise DataError("SQL", expected=f"at most {_WIDEST} bits, which pgvector indexes", got=codes.bits)
    if not 1 <= len(table.encode(errors="replace")) <= _LONGEST:
        raise DataError("SQL", "the name of the table", expected=f"1 to {_LONGEST} bytes", got=repr(table))
    if codes.ids is not None:
        require_ids(codes)
    with atomic_write(path) as file:
        for part in _script(codes, '"' + table.replace('"', '""') + '"'):
            file.write(_checked(part))


def _script(codes: Codes, table: str) -> Iterator[str]:
    columns = [("id", f"{'bigint' if _numbered(codes) else 'text'} PRIMARY KEY"),
               ("code", f"bit({codes.bits}) NOT NULL")]
    if codes.labels is not None:
        array, ending = ("", "") if codes.labels.ndim == 1 else ("[]", "s")
        columns.append((f"label{ending}", f"bigint{array} NOT NULL"))
        if codes.classes is not None:
            columns.append((f"class{'es' if array else ''}", f"text{array} NOT NULL"))
    made = {name: getattr(codes, name) for name in ("net", "weights", "blob") if getattr(codes, name)}
    names, kinds = (", ".join(parts) for parts in (
        [name for name, _ in columns], [f"{name} {kind}" for name, kind in columns]))
    yield (f"-- {len(codes)} codes of {codes.bits} bits, bit 0 first, {codes.rule}, of {json.dumps(made)}\n"
           f"-- psql -1 -v ON_ERROR_STOP=1 -f THIS_FILE DATABASE\n"
           f"SET client_encoding = 'UTF8';\nCREATE TABLE {table} ({kinds});\nCOPY {table} ({names}) FROM stdin;\n")
    for start in range(0, len(codes), _CHUNK):
        yield from _lines(codes, start, min(start + _CHUNK, len(codes)))
    example = _bits(codes, 0, 1)[0] if len(codes) else "0" * codes.bits
    yield ("\\.\n\nCREATE EXTENSION IF NOT EXISTS vector;  -- pgvector 0.7 or newer\n"
           f"CREATE INDEX ON {table} USING hnsw (code bit_hamming_ops);\nANALYZE {table};\n\n"
           "-- The ten nearest items of a code. The index finds most of them, SET hnsw.ef_search = 200 more of them;\n"
           "-- SET enable_indexscan = off finds all.\n"
           f"-- SELECT id, code <~> B'{example}' AS distance FROM {_shown(table)}\n"
           f"--   ORDER BY code <~> B'{example}' LIMIT 10;\n")


def _lines(codes: Codes, start: int, stop: int) -> Iterator[str]:
    """The lines of COPY for the items start … stop - 1."""
    fields: list[Iterable[str]] = [
        map(str, range(start, stop)) if codes.ids is None else map(_escape, map(str, codes.ids[start:stop].tolist())),
        _bits(codes, start, stop)]
    if codes.labels is not None:
        labels = codes.labels[start:stop]
        several = labels.ndim == 2
        numbers: list[Any] = [np.flatnonzero(row).tolist() for row in labels] if several else labels.tolist()
        fields.append(["{" + ",".join(map(str, row)) + "}" for row in numbers] if several else map(str, numbers))
        if codes.classes is not None:
            fields.append([_escape(_array(codes.classes[number] for number in row)) for row in numbers] if several
                          else [_escape(codes.classes[number]) for number in numbers])
    for line in zip(*fields):
        yield "\t".join(line) + "\n"


def _bits(codes: Codes, start: int, stop: int) -> list[str]:
    """The codes as text of 0 and 1."""
    digits = np.ascontiguousarray(unpack(codes.packed[start:stop], codes.bits) + np.uint8(ord("0")))
    return digits.view(f"S{codes.bits}")[:, 0].astype(str).tolist()


def _numbered(codes: Codes) -> bool:
    """Whether the ids are numbers that a bigint can hold."""
    return codes.ids is None or (codes.ids.dtype.kind in "iu" and codes.ids.dtype != np.uint64)


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _array(texts: Iterable[str]) -> str:
    return "{" + ",".join(f'"{text.translate(_QUOTES)}"' for text in texts) + "}"


def _shown(table: str) -> str:
    """The name within a comment, which ends with its line."""
    return table if table.isprintable() else "THE_TABLE"


def _checked(text: str) -> bytes:
    """The text in UTF-8; DataError if PostgreSQL cannot hold it."""
    try:
        if "\0" not in text:
            return text.encode()
    except UnicodeEncodeError:  # half a pair of surrogates
        pass
    raise DataError("SQL", expected="text in Unicode, without NUL, as PostgreSQL takes it", got=ascii(text)[:100])
