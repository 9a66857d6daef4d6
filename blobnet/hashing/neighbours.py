"""Lists of neighbours: what a search finds near each query, and the file that keeps it.

The file is an .npz with

    header     JSON text: {"format": "blobnet neighbours", "version": 1, …, what was searched in and how}
    offsets    (Q + 1,) int64
    indices    (M,) int64
    distances  (M,)
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.errors import BlobnetError, DataError
from blobnet.proto.npz import read_arrays
from blobnet.proto.storage import atomic_write, require_file

FORMAT, VERSION = "blobnet neighbours", 1
_HINT = "'blobnet search --out' writes such files"


class Neighbours(NamedTuple):
    """The items near each query, nearest first, equal distances in index order.

    The items of query q are indices[offsets[q]:offsets[q + 1]], at `distances` of the same places.
    """

    offsets: np.ndarray    # (Q + 1,) int64
    indices: np.ndarray    # (M,) int64, rows of the base
    distances: np.ndarray  # (M,) int64 bits, or float32 for the metrics of real values

    @classmethod
    def of_lists(cls, lists: Sequence[Sequence[int] | np.ndarray]) -> Neighbours:
        """Lists of places in the base, one a query, at ranks in place of distances.

        >>> Neighbours.of_lists([[7, 2], [5]]).offsets.tolist()
        [0, 2, 3]
        """
        rows = [np.asarray(places, np.int64).reshape(-1) for places in lists]
        offsets = np.cumsum([0, *map(len, rows)])
        indices = np.concatenate([np.empty(0, np.int64), *rows])
        return cls(offsets, indices, np.arange(len(indices)) - np.repeat(offsets[:-1], np.diff(offsets)))

    def save(self, path: str | os.PathLike, **header) -> None:
        """Write the file described at the top of this page; `header` says where the neighbours are from."""
        with atomic_write(path) as file:
            np.savez(file, header=np.array(json.dumps({"format": FORMAT, "version": VERSION, **header})),
                     **self._asdict())

    @classmethod
    def load(cls, path: str | os.PathLike) -> Neighbours:
        """Read what `save` wrote; DataError, naming the file, if it is anything else."""
        where = os.fspath(path)
        try:
            arrays = read_arrays(require_file(path))
            header = json.loads(str(arrays.pop("header", None)))
            found = header.get("format"), header.get("version")
        except BlobnetError:
            raise
        except Exception as error:  # zipfile, NumPy and json raise a dozen types on damaged files
            raise DataError(where, f"not a file of neighbours ({error})", hint=_HINT) from error
        if found != (FORMAT, VERSION) or sorted(arrays) != sorted(cls._fields):
            raise DataError(where, expected=f"{FORMAT}, version {VERSION}, with {', '.join(cls._fields)}",
                            got=f"{found} with {', '.join(sorted(arrays)) or 'nothing'}", hint=_HINT)
        read = cls(**arrays)
        read.check(where)
        return read

    def check(self, where: str, num_queries: int | None = None, num_base: int | None = None) -> None:
        """DataError unless these are lists of places: one a query, each place in the base and once in its list."""
        offsets, indices, distances = self
        if not (offsets.dtype.kind == indices.dtype.kind == "i" and offsets.ndim == indices.ndim == 1
                and len(offsets) and distances.shape == indices.shape and offsets[0] == 0
                and offsets[-1] == len(indices) and (np.diff(offsets) >= 0).all()):
            raise DataError(where, "no lists of neighbours", expected="offsets from 0 up to the number of indices, "
                            "whole numbers, and as many distances", hint=_HINT)
        if num_queries is not None and len(offsets) - 1 != num_queries:
            raise DataError(where, expected=f"a list of neighbours for each of {num_queries} queries",
                            got=f"{len(offsets) - 1} lists")
        outside = indices < 0 if num_base is None else (indices < 0) | (indices >= num_base)
        if outside.any():
            most = "" if num_base is None else f" to {num_base - 1}"
            raise DataError(where, expected=f"places in the base, from 0{most}", got=indices[outside][0],
                            hint="are these lists of another base?")
        queries = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        order = np.lexsort((indices, queries))
        again = (np.diff(indices[order]) == 0) & (np.diff(queries[order]) == 0)
        if again.any():
            first = order[np.flatnonzero(again)[0]]
            raise DataError(where, f"place {indices[first]} is twice in the list of query {queries[first]}",
                            expected="every neighbour once")
