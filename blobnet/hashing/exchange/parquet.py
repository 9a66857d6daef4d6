"""Codes as Apache Parquet, which DuckDB, Spark, pandas and others read. Needs pyarrow: pip install 'blobnet[parquet]'.

The columns, of which only `code` is always there:

    id      int64 (uint64 for such ids) or string
    code    fixed_size_binary(ceil(K / 8)): bit k of the code is bit k % 8, least significant first, of byte k // 8; the
            bits after the last one are zero
    values  fixed_size_list(float, K), the outputs the bits were made of
    label   int64, the class number; class: string, its name
    labels  list(int64), the numbers of all labels of the item; classes: list(string), their names

The key `blobnet` of the file's metadata has JSON text: K, the rule, net, weights, blob, and the names of the classes.
"""

from __future__ import annotations

import json
import os
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import FIELDS, Codes
from blobnet.optional import require_library
from blobnet.proto.budget import require
from blobnet.proto.storage import atomic_write, require_file

KEY, FORMAT, VERSION = b"blobnet", "blobnet codes", 1
BIT_ORDER = "bit k is bit k % 8, least significant first, of byte k // 8"
# Pages that hold what they claim. Others repeat parts of the text before, which may unpack to any size.
_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_HINT = "'blobnet convert codes.npz codes.parquet' writes such files"


def write_parquet(codes: Codes, path: str | os.PathLike) -> None:
    """Write the file described at the top of this page, whole or not at all.

    MissingLibrary without pyarrow; DataError for text that is not Unicode.
    """
    pa, parquet = _pyarrow()
    columns = {name: array for name, array in _columns(pa, codes).items() if array is not None}
    rows = 0 if codes.labels is None or codes.labels.ndim == 1 else codes.labels.shape[1]
    header = {"format": FORMAT, "version": VERSION, "rule": codes.rule, "bit order": BIT_ORDER, "label columns": rows,
              **{name: getattr(codes, name) for name in FIELDS}}
    table = pa.table(columns).replace_schema_metadata({KEY: json.dumps(header).encode()})
    with atomic_write(path) as file:
        parquet.write_table(table, file, use_dictionary=[name for name in ("class", "classes") if name in columns])


def _columns(pa: ModuleType, codes: Codes) -> dict[str, Any]:
    """An Arrow array, or None, for each column."""
    packed = np.ascontiguousarray(codes.packed)
    columns = {"id": None if codes.ids is None else _texts(pa, codes.ids) if codes.ids.dtype.kind == "U" else
               pa.array(codes.ids.astype(np.uint64 if codes.ids.dtype == np.uint64 else np.int64)),
               "code": pa.FixedSizeBinaryArray.from_buffers(pa.binary(packed.shape[1]), len(codes),
                                                            [None, pa.py_buffer(packed)])}
    if codes.values is not None:
        values = pa.array(np.ascontiguousarray(codes.values).reshape(-1))
        columns["values"] = pa.FixedSizeListArray.from_arrays(values, codes.bits)
    if codes.labels is None:
        return columns
    names = None if codes.classes is None else _texts(pa, codes.classes)
    if codes.labels.ndim == 1:
        labels = pa.array(np.asarray(codes.labels))
        return columns | {"label": labels, "class": names and names.take(labels)}
    numbers = pa.array(np.nonzero(codes.labels)[1].astype(np.int64))
    offsets = pa.array(np.cumsum([0, *codes.labels.sum(axis=1, dtype=np.int64)]).astype(np.int32))
    return columns | {"labels": pa.ListArray.from_arrays(offsets, numbers),
                      "classes": names and pa.ListArray.from_arrays(offsets, names.take(numbers))}


def _texts(pa: ModuleType, texts) -> Any:
    try:
        return pa.array([str(text) for text in texts], pa.string())
    except UnicodeEncodeError as error:
        raise DataError("Parquet", expected="text in Unicode", got=ascii(error.object),
                        hint="give the file another name, and encode it again") from None


def read_parquet(path: str | os.PathLike) -> Codes:
    """The codes that `write_parquet` wrote; integers as ids come as int64 or uint64.

    MissingLibrary without pyarrow; DataError or ShapeError, naming the file, for anything else, as Parquet of others.
    """
    pa, parquet = _pyarrow()
    path, where = require_file(path), os.fspath(path)
    try:
        metadata = parquet.read_metadata(path)
        header = _header(metadata, where)
        _check_size(metadata, where, path.stat().st_size)
        # As a dictionary, a long text that is there a million times is in memory once.
        texts = ["id"] if "id" in metadata.schema.names else None
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read([name for name in file.schema_arrow.names if name not in ("class", "classes")])
            table.validate(full=True)
        return _codes(pa, table, header, where)
    except (DataError, ShapeError) as error:
        raise error.inside(where) from None
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise DataError(where, f"not a whole Parquet file of codes ({error})".replace("\n", " "),
                        hint=_HINT) from error


def _header(metadata: Any, where: str) -> dict[str, Any]:
    text = (metadata.metadata or {}).get(KEY)
    header = {} if text is None else json.loads(text)
    found = (header.get("format"), header.get("version")) if isinstance(header, dict) else None
    if found != (FORMAT, VERSION):
        raise DataError(where, expected=f"{FORMAT}, version {VERSION}, in the metadata {KEY.decode()!r}",
                        got=found if text else "no such metadata", hint=_HINT)
    return header


def _check_size(metadata: Any, where: str, stored: int) -> None:
    """DataError unless the columns are packed in ways that hold what they claim, and that is not too much."""
    size = 0
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            if not set(column.encodings) <= _ENCODINGS:
                raise DataError(where, expected=f"columns packed as one of {', '.join(sorted(_ENCODINGS))}",
                                got=", ".join(column.encodings))
            size += max(column.total_uncompressed_size, 8 * column.num_values)
    require(size, where, "the columns", stored)


def _codes(pa: ModuleType, table: Any, header: dict[str, Any], where: str) -> Codes:
    bits = header["bits"]
    kinds: dict[str, Any] = {"id": (pa.int64(), pa.uint64(), pa.dictionary(pa.int32(), pa.string())),
                             "code": (pa.binary(-(-bits // 8)),), "values": (pa.list_(pa.float32(), bits),),
                             "label": (pa.int64(),), "labels": (pa.list_(pa.int64()),)}
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    for name, column in columns.items():
        if name not in kinds or column.null_count or not any(column.type.equals(kind) for kind in kinds[name]):
            raise DataError(where, f"column {name!r}", got=f"{column.type}, {column.null_count} of them null",
                            expected=" or ".join(map(str, kinds.get(name, ("no such column",)))), hint=_HINT)
    packed = np.frombuffer(b"".join(columns["code"].to_pylist()), np.uint8).reshape(len(table), -(-bits // 8))
    values = columns.get("values")
    return Codes(packed, ids=_ids(columns.get("id"), where), labels=_labels(columns, header["label columns"]),
                 values=None if values is None else values.flatten().to_numpy().reshape(len(table), bits),
                 **{name: header[name] for name in FIELDS})


def _ids(column: Any, where: str) -> np.ndarray | None:
    if column is None or not hasattr(column, "dictionary"):
        return None if column is None else column.to_numpy()
    texts = [text.as_py() for text in column.dictionary]
    require(4 * len(column) * max(map(len, texts), default=0), where, "the ids", column.nbytes)
    return np.array(texts or [""], np.str_)[column.indices.to_numpy()]


def _labels(columns: dict[str, Any], width: int) -> np.ndarray | None:
    if "labels" not in columns:
        return columns["label"].to_numpy() if "label" in columns else None
    column = columns["labels"]
    rows = np.zeros((len(column), width), np.uint8)
    require(rows.nbytes, "Parquet", "the labels", column.nbytes)
    counts = np.diff(column.offsets.to_numpy())
    numbers = column.flatten().to_numpy()
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < width:
        raise DataError("labels", expected=f"numbers from 0 to {width - 1}", got=f"{numbers.min()} to {numbers.max()}")
    rows[np.repeat(np.arange(len(column)), counts), numbers] = 1
    return rows


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    pa, parquet = (require_library(name, "Parquet", "needs pyarrow", "'blobnet[parquet]'")
                   for name in ("pyarrow", "pyarrow.parquet"))
    return pa, parquet
