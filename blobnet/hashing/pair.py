"""Queries and base, checked against each other and the protocol they are scored by."""

from __future__ import annotations

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import exact_index
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.protocol import Protocol
from blobnet.hashing.relevance import Relevance, relevance_of


class Pair:
    """Queries and base under a protocol, with the index of the base.

    size = N; relevance of the items; counted (Q,) whether a query counts. DataError and ShapeError unless all fit.
    """

    def __init__(self, queries: Codes, base: Codes | None, protocol: Protocol, neighbours: Neighbours | None = None):
        base = check_fit(queries, base, protocol, neighbours)
        self.queries, self.index, self.size = queries, exact_index(base, protocol.metric), len(base)
        self.relevance: Relevance = relevance_of(queries, base, neighbours)
        self.totals = self.relevance.totals
        if not self.totals.any():
            raise DataError(f"protocol {protocol.name!r}", "no query has a relevant item in the base",
                            hint="do queries and base share their labels?")
        self.counted = (self.totals > 0) | (protocol.without_relevant == "zero")


def check_fit(queries: Codes, base: Codes | None, protocol: Protocol, neighbours: Neighbours | None = None) -> Codes:
    """The base, which may be the queries; DataError unless these can be scored by the protocol."""
    where = f"protocol {protocol.name!r}"
    if base is None and protocol.query_in_database:
        base = queries
    if base is None or (base is queries and not protocol.query_in_database):
        raise DataError(where, expected="a base apart from the queries", got="none" if base is None else "them",
                        hint="protocol 'dsh-authors' ranks a set against itself")
    if protocol.query_in_database and base is not queries and not np.array_equal(base.packed, queries.packed):
        raise DataError(where, expected="a base that is the queries", got="another base", hint="leave the base out")
    if not len(queries):
        raise DataError(where, "no queries")
    for what, wanted, found in (("queries", protocol.num_queries, len(queries)),
                                ("items in the base", protocol.num_base, len(base))):
        if wanted not in (None, found):
            raise DataError(where, expected=f"{wanted} {what}", got=found,
                            hint="'mAP@all' and its kin take any number")
    if protocol.top_k is not None and protocol.top_k > len(base):
        raise DataError(where, expected=f"top_k up to {len(base)}, the size of the base", got=protocol.top_k)
    _check_relevance(where, queries, base, protocol, neighbours)
    return base


def _check_relevance(where: str, queries: Codes, base: Codes, protocol: Protocol,
                     neighbours: Neighbours | None) -> None:
    """DataError unless what says which items are relevant is there, and nothing else."""
    by_lists = protocol.relevance == "neighbours"
    if by_lists and neighbours is None:
        raise DataError(where, expected="lists of neighbours", got="none",
                        hint="'blobnet search --metric l2 --top 50 --out' finds them in raw vectors")
    if not by_lists and neighbours is not None:
        raise DataError(where, expected="labels alone", got="lists of neighbours",
                        hint="protocol 'neighbours' scores by the lists")
    if by_lists:
        lengths = np.diff(neighbours.offsets)
        if protocol.num_neighbours is not None and (lengths != protocol.num_neighbours).any():
            raise DataError(where, expected=f"{protocol.num_neighbours} neighbours of each query",
                            got=f"{lengths.min()} to {lengths.max()}", hint="protocol 'neighbours' takes any number")
    elif queries.labels is None or base.labels is None:
        raise DataError(where, expected="labels on queries and base",
                        got="no labels on the " + ("queries" if queries.labels is None else "base"),
                        hint="protocol 'neighbours' scores by lists of neighbours")
    elif protocol.relevance == "label-rows":
        found = queries.labels.shape[1] if queries.labels.ndim == 2 else None
        if found is None or protocol.num_labels not in (None, found):
            raise DataError(where, expected="rows of " + f"{protocol.num_labels or ''} labels".lstrip(),
                            got="class numbers" if found is None else f"rows of {found}",
                            hint="'mAP@5000' takes labels of any kind")
