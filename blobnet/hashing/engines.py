"""The search engines by metric and name."""

from __future__ import annotations

from blobnet.errors import DataError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.faiss_index import FaissIndex
from blobnet.hashing.index import HammingIndex, Index
from blobnet.hashing.multi_index import MultiIndex
from blobnet.hashing.real_index import AsymmetricIndex, CosineIndex, EuclideanIndex, InnerProductIndex

INDEXES: dict[str, type[Index]] = {index.metric: index for index in
           (HammingIndex, AsymmetricIndex, EuclideanIndex, CosineIndex, InnerProductIndex)}
ENGINES = ("blobnet", "multi-index", "faiss")


def build_index(codes: Codes, metric: str = "hamming", engine: str = "blobnet") -> Index | FaissIndex:
    """What searches the base `codes`: `.search(queries, top=…)` gives Neighbours. DataError for unknown names."""
    if engine not in ENGINES:
        raise DataError("search", f"no engine {engine!r}", hint=close_matches(engine, ENGINES))
    if engine == "multi-index" and metric != MultiIndex.metric:
        raise DataError("search", expected="the metric hamming with the engine multi-index", got=metric)
    if engine == "multi-index":
        return MultiIndex(codes)
    return exact_index(codes, metric) if engine == "blobnet" else FaissIndex(codes, metric)


def exact_index(codes: Codes, metric: str = "hamming") -> Index:
    """The index of blobnet's own, which gives all distances. DataError for an unknown metric."""
    if metric not in INDEXES:
        raise DataError("search", f"no metric {metric!r}", hint=close_matches(metric, INDEXES))
    return INDEXES[metric](codes)
