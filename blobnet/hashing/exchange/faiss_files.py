"""Codes as a binary index of FAISS, for `faiss.read_index_binary`. Needs FAISS: pip install 'blobnet[faiss]'.

FAISS takes whole bytes: codes of K bits are padded with zeros to a multiple of 8, which changes no distance; queries
are padded alike. Items are known by their row numbers. Their ids go into a file beside the index, its name with `.ids`
after it: line n (from 0 on) has the id of row n as JSON, so a text may hold line ends. Labels and real values stay
behind.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.errors import DataError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.faiss_index import import_faiss
from blobnet.proto.storage import atomic_write, require_file

KINDS = ("flat", "ivf", "hnsw")
CHUNK = 1 << 16     # items handed over at once
SAMPLE = 64         # items a list from which its centre is learnt
LINKS = 32          # of an item in HNSW


def write_faiss(codes: Codes, path: str | os.PathLike, kind: str = "flat", nlist: int | None = None,
                links: int = LINKS) -> None:
    """Write an index of FAISS, and `path`.ids if the codes have ids.

    kind: flat compares with every item; ivf, inverted lists, with those of some of `nlist` lists (default: 4 sqrt(N),
    see `lists_for`); hnsw goes through a graph in which an item has `links` links, and misses much where many codes are
    the same. DataError for no codes, an unknown kind, more lists than items; MissingLibrary without FAISS.
    """
    faiss = import_faiss("FAISS", "writing its index")
    if kind not in KINDS:
        raise DataError("FAISS", f"no index {kind!r}", hint=close_matches(kind, KINDS))
    if not len(codes):
        raise DataError("FAISS", "no codes to write")
    if links < 1:
        raise DataError("FAISS", expected="at least 1 link an item", got=links)
    width = 8 * codes.packed.shape[1]
    if kind == "ivf":
        nlist = lists_for(len(codes)) if nlist is None else nlist
        index = train_lists(codes.packed[sample(len(codes), nlist)], nlist)
    else:
        index = faiss.IndexBinaryFlat(width) if kind == "flat" else faiss.IndexBinaryHNSW(width, links)
    for start in range(0, len(codes), CHUNK):
        index.add(np.ascontiguousarray(codes.packed[start:start + CHUNK]))
    beside = Path(f"{os.fspath(path)}.ids")
    if codes.ids is None:
        beside.unlink(missing_ok=True)  # those of an index that is written over
    else:
        with atomic_write(beside) as file:
            for start in range(0, len(codes), CHUNK):
                lines = "\n".join(map(json.dumps, codes.ids[start:start + CHUNK].tolist()))
                file.write(f"{lines}\n".encode())
    save_index(index, path)


def read_ids(path: str | os.PathLike) -> list[str] | list[int]:
    """The ids in the file beside an index, `path`.ids; DataError for anything else."""
    beside = require_file(f"{os.fspath(path)}.ids")
    try:
        return [json.loads(line) for line in beside.read_text("utf-8").splitlines()]
    except ValueError as error:
        raise DataError(str(beside), f"not a file of ids ({error})", expected="JSON text in each line") from None


def lists_for(count: int) -> int:
    """The number of lists for so many items: 4 sqrt(N), as FAISS advises, but at least 4 items a list.

    >>> [lists_for(count) for count in (1, 100, 1_000_000)]
    [1, 25, 4000]
    """
    return max(1, min(4 * math.isqrt(count), count // 4))


def sample(count: int, nlist: int) -> np.ndarray:
    """The places of the items that `nlist` centres are learnt from: evenly spread, all of them if they are few."""
    return np.unique(np.linspace(0, count - 1, min(count, SAMPLE * max(1, nlist))).astype(np.int64))


def train_lists(packed: np.ndarray, nlist: int) -> Any:
    """An empty IndexBinaryIVF whose `nlist` centres are learnt, by k-means, from these codes (n, B).

    DataError unless 1 <= nlist <= n.
    """
    faiss = import_faiss("FAISS", "an index of inverted lists")
    if not 1 <= nlist <= len(packed):
        raise DataError("FAISS", expected=f"from 1 to {len(packed)} lists, for so many items", got=nlist)
    width = 8 * packed.shape[1]
    index = faiss.IndexBinaryIVF(faiss.IndexBinaryFlat(width), width, nlist)
    index.cp.min_points_per_centroid = 1  # fewer than 39 are no reason for a warning
    index.train(np.ascontiguousarray(packed))
    return index


def save_index(index: Any, path: str | os.PathLike) -> None:
    """Write a binary index, whole or not at all."""
    faiss = import_faiss("FAISS", "writing its index")
    with atomic_write(path) as file:
        writer = faiss.PyCallbackIOWriter(file.write)
        faiss.write_index_binary(index, writer)
