"""FAISS as the engine of exact search in large bases. It is optional: pip install 'blobnet[faiss]'.

Johnson, Douze and Jégou: Billion-scale Similarity Search with GPUs, IEEE Transactions on Big Data 2019.
"""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import check_limits, require_alike, require_bits
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.packing import unpack
from blobnet.hashing.real_index import real_values, unit_rows
from blobnet.optional import require_library

_CHUNK = 1 << 16  # items handed over at once


def import_faiss(where: str, what: str, otherwise: str = "") -> ModuleType:
    """The module faiss; MissingLibrary if it is not there, which says what to do `otherwise`."""
    return require_library("faiss", where, f"{what} needs FAISS", "'blobnet[faiss]'", otherwise)


class FaissIndex:
    """Search in the base `codes` by FAISS's flat, exact indexes; metrics, limits and results as those of blobnet's own.

    Codes are padded to whole bytes, as FAISS wants them. Hamming distances, and the order of equal ones, are the same
    as HammingIndex has them. Real-valued metrics are computed in float32 throughout: distances agree to about six
    digits, so items almost equally far away may change places or sides of a radius, and of those equally far at rank
    `top` FAISS decides which stay. All metrics but Hamming's need 4 bytes a dimension.
    """

    def __init__(self, codes: Codes, metric: str = "hamming"):
        if not len(codes):
            raise DataError("FaissIndex", "no codes to search in")
        faiss = import_faiss("FaissIndex", "the engine faiss", "take the engine blobnet")
        self.codes, self.metric = codes, metric
        if metric == "hamming":
            self._index = faiss.IndexBinaryFlat(8 * codes.packed.shape[1])
        else:
            self._index = (faiss.IndexFlatL2 if metric == "l2" else faiss.IndexFlatIP)(codes.bits)
        for start in range(0, len(codes), _CHUNK):
            self._index.add(self._items(start, start + _CHUNK))

    def search(self, queries: Codes, top: int | None = None, radius: float | None = None) -> Neighbours:
        """The `top` nearest items of each query, those at most `radius` away, or (both given) those in both.

        DataError unless 1 <= top <= N and, for distances that are never below 0, radius >= 0.
        """
        check_limits("FaissIndex.search", len(self.codes), top, radius, self.metric)
        require = require_alike if self.metric in ("hamming", "asymmetric") else require_bits
        require("FaissIndex", queries, self.codes)
        asked = self._asked(queries)
        if top is None:
            limits, found, indices = self._index.range_search(asked, self._bound(radius))
            rows = np.repeat(np.arange(len(asked)), np.diff(limits.astype(np.int64)))
        else:
            found, indices = (array.ravel() for array in self._index.search(asked, top))
            rows = np.repeat(np.arange(len(asked)), top)
        distances = self._distances(found)
        if radius is not None:
            rows, indices, distances = (array[distances <= radius] for array in (rows, indices, distances))
        order = np.lexsort((indices, distances, rows))
        counts = np.bincount(rows, minlength=len(asked))
        return Neighbours(np.concatenate([[0], np.cumsum(counts)]), indices[order], distances[order])

    def _bound(self, radius: float) -> float:
        """What FAISS takes for a radius, which it leaves out itself: a little more than `radius`."""
        if self.metric == "hamming":
            return int(min(radius, self.codes.bits)) + 1
        bound = {"l2": radius * radius, "cosine": 1 - radius}.get(self.metric, -radius)
        more = 1e-6 * max(1, abs(bound)) if math.isfinite(bound) else 0
        with np.errstate(over="ignore"):
            return float(np.float32(bound + more if self.metric == "l2" else bound - more))

    def _items(self, start: int, stop: int) -> np.ndarray:
        if self.metric == "hamming":
            return np.ascontiguousarray(self.codes.packed[start:stop])
        if self.metric == "asymmetric":
            bits = unpack(self.codes.packed[start:stop], self.codes.bits).astype(np.float32)
            return bits if self.codes.block_size is not None else 2 * bits - 1
        return self._real("base", self.codes, start, stop)

    def _asked(self, queries: Codes) -> np.ndarray:
        if self.metric == "hamming":
            return np.ascontiguousarray(queries.packed)
        values = self._real("queries", queries, 0, len(queries))
        signs = self.metric == "asymmetric" and self.codes.block_size is None
        return values - np.float32(queries.threshold or 0) if signs else values

    def _real(self, what: str, codes: Codes, start: int, stop: int) -> np.ndarray:
        values = np.array(real_values("FaissIndex", what, codes)[start:stop])
        return unit_rows(values) if self.metric == "cosine" else values

    def _distances(self, found: np.ndarray) -> np.ndarray:
        if self.metric == "hamming":
            return found.astype(np.int64)
        return np.sqrt(np.maximum(found, 0)) if self.metric == "l2" else (self.metric == "cosine") - found
