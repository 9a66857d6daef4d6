"""Search in shards: one after the other, their lists mapped from the files, the finds merged as in the whole base."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.faiss_index import import_faiss
from blobnet.hashing.index import check_limits, require_alike
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.shards.manifest import AGAIN, Manifest, Shard, files_of
from blobnet.hashing.shards.parts import joined

PROBED = 16      # lists a shard that are looked into, unless it is said
_QUERIES = 4096  # searched at once: every shard is gone through once for so many

Finds = tuple[np.ndarray, ...]  # queries, places, distances, each (M,)


class ShardedIndex:
    """Search by the Hamming distance in the folder that `build_shards` made.

    A query is compared with the items in the `nprobe` lists of each shard whose centres are nearest to it. With as many
    as there are, `nlist`, the results are those of HammingIndex in the whole base, the order of equal distances
    included; with fewer, some of the nearest may be missing. manifest says what is there; codes, without items, how all
    were made. MissingLibrary without FAISS; DataError for a folder that is not whole.
    """

    def __init__(self, folder: str | os.PathLike):
        self._faiss = import_faiss("ShardedIndex", "search in shards")
        self.folder, self.manifest = Path(folder), Manifest.load(folder)
        self.codes = self.manifest.codes
        self._indexes = [self._open(number, shard) for number, shard in enumerate(self.manifest.shards)]

    def __len__(self) -> int:
        return len(self.manifest)

    def search(self, queries: Codes, top: int | None = None, radius: float | None = None,
               nprobe: int | None = None) -> Neighbours:
        """The `top` nearest items that were compared of each query, those at most `radius` away, or those in both.

        nprobe: how many lists of each shard are looked into (default: 16, or all if there are fewer). DataError unless
        1 <= nprobe <= nlist, 1 <= top <= N, and radius >= 0; ShapeError for queries of another kind.
        """
        where, nlist = "ShardedIndex.search", self.manifest.nlist
        check_limits(where, len(self), top, radius, "hamming")
        require_alike(where, queries, self.codes)
        nprobe = min(PROBED, nlist) if nprobe is None else nprobe
        if not 1 <= nprobe <= nlist:
            raise DataError(where, expected=f"nprobe from 1 to {nlist}, the lists of a shard", got=nprobe)
        farthest = self.codes.bits if radius is None else int(min(radius, self.codes.bits))
        found = [_none()]
        for start in range(0, len(queries), _QUERIES):
            asked = np.ascontiguousarray(queries.packed[start:start + _QUERIES])
            rows, places, distances = self._block(asked, top, farthest, nprobe)
            found.append((rows + start, places, distances))
        rows, places, distances = map(np.concatenate, zip(*found))
        return Neighbours(np.searchsorted(rows, np.arange(len(queries) + 1)), places, distances)

    def items(self, places: np.ndarray) -> Codes:
        """The codes of the items at these places of the base, one or more, with labels and ids, in their order."""
        different, back = np.unique(places, return_inverse=True)
        starts = [shard.start for shard in self.manifest.shards]
        numbers = np.searchsorted(starts, different, side="right") - 1
        parts = [(Codes.load(self.folder / files_of(number)[1], mmap=True),
                  different[numbers == number] - starts[number]) for number in np.unique(numbers).tolist()]
        return joined([(joined(parts), back)])

    def _open(self, number: int, shard: Shard) -> Any:
        path = self.folder / files_of(number)[0]
        try:
            index = self._faiss.read_index_binary(str(path), self._faiss.IO_FLAG_MMAP)
            kind = index.d, index.ntotal, index.nlist
            # Otherwise each search starts 32 threads that read ahead, which the system does as well.
            self._faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
        except (RuntimeError, AttributeError, MemoryError) as error:
            raise DataError(str(path), "cannot be read by FAISS", got=str(error).splitlines()[-1]) from error
        expected = 8 * self.codes.packed.shape[1], shard.count, self.manifest.nlist
        if kind != expected:
            raise DataError(str(path), expected=f"bits, items and lists {expected}", got=kind, hint=AGAIN)
        return index

    def _block(self, asked: np.ndarray, top: int | None, farthest: int, nprobe: int) -> Finds:
        """What is found for some queries, in the order of Neighbours.

        Shards come in the order of the base. So once `top` items are found for a query, an item of a later shard
        must be nearer than the last of them.
        """
        found, reach = _none(), np.full(len(asked), farthest)
        for number, (shard, index) in enumerate(zip(self.manifest.shards, self._indexes)):
            index.nprobe = nprobe
            more = _within(index, asked, np.arange(len(asked)), reach) if top is None else \
                _nearest(index, asked, min(top, shard.count), reach)
            wrong = more[1][(more[1] < 0) | (more[1] >= shard.count)]
            if len(wrong):
                raise DataError(str(self.folder / files_of(number)[0]), "a damaged list", hint=AGAIN,
                                expected=f"items from 0 to {shard.count - 1}", got=wrong[0])
            found = _sorted(*map(np.concatenate, zip(found, (more[0], more[1] + shard.start, more[2]))))
            if top is not None:
                edges = np.searchsorted(found[0], np.arange(len(asked) + 1))
                kept = np.arange(len(found[0])) - edges[found[0]] < top
                full = np.flatnonzero(np.diff(edges) >= top)
                reach[full] = np.minimum(reach[full], found[2][edges[full] + top - 1] - 1)
                found = tuple(array[kept] for array in found)
        return found


def _nearest(index: Any, asked: np.ndarray, top: int, reach: np.ndarray) -> Finds:
    """The `top` nearest items of each query that are at most reach[query] away, and all that are as far as the last.

    Which of several items that are equally far away come last is FAISS's choice; so these are asked for again, by
    their distance. It is spared where they are too far away.
    """
    distances, items = index.search(asked, top)
    last = distances[:, -1].astype(np.int64)
    again = (items[:, -1] >= 0) & (last <= reach)
    kept = (items >= 0) & (distances <= reach[:, None]) & ~(again[:, None] & (distances == last[:, None]))
    rows = np.repeat(np.arange(len(asked)), kept.sum(axis=1))
    asked_again = np.flatnonzero(again)
    more = _within(index, asked, asked_again, last)
    at_last = more[2] == last[more[0]]
    return tuple(map(np.concatenate, zip((rows, items[kept], distances[kept].astype(np.int64)),
                                         (array[at_last] for array in more))))


def _within(index: Any, asked: np.ndarray, rows: np.ndarray, reach: np.ndarray) -> Finds:
    """All items at most reach[row] away from the queries `rows`."""
    found = [_none()]
    for distance in np.unique(reach[rows]).tolist():
        of_this = rows[reach[rows] == distance]
        limits, distances, items = index.range_search(asked[of_this], distance + 1)  # those nearer than that
        counts = np.diff(limits.astype(np.int64))
        found.append((np.repeat(of_this, counts), items, distances.astype(np.int64)))
    return tuple(map(np.concatenate, zip(*found)))


def _sorted(rows: np.ndarray, places: np.ndarray, distances: np.ndarray) -> Finds:
    order = np.lexsort((places, distances, rows))
    return rows[order], places[order], distances[order]


def _none() -> Finds:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
