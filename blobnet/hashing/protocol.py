"""Protocols of retrieval experiments: every choice that changes a number, by name and in words."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from blobnet.errors import DataError, close_matches
from blobnet.hashing.protocols import PROTOCOLS

_METRICS = {
    "hamming": "Hamming distance",
    "asymmetric": "the inner product of the query's real values with the codes of the database",
    "l2": "the Euclidean distance of the real values",
    "cosine": "the cosine of the real values",
    "inner-product": "the inner product of the real values",
}
TIES = {
    "index": "equal distances in index order",
    "expected": "the expectation over random orders of equal distances",
    "best": "relevant items first among equal distances",
    "worst": "relevant items last among equal distances",
}
DIVISORS = {
    "all": "all relevant items of the database",
    "found": "the relevant items found in the ranking",
}
_LONELY = {
    "zero": "counts as 0",
    "skip": "is left out",
    "skip-unfound": "is left out, and so is, of average precision, one that finds none",
}
_RELEVANCE = {
    "labels": "equal label, or at least one shared label for label rows",
    "label-rows": "at least one shared label",
    "neighbours": "in the query's list of neighbours",
}
_AVERAGES = {
    "precision": "average precision",
    "trapezoid": "average precision (the mean of the precisions just before and at each relevant rank)",
    "gain": "weighted average precision (the mean number of shared labels so far, at each relevant rank)",
}


@dataclass(frozen=True)
class Protocol:
    """How a retrieval experiment is scored. DataError for choices that do not exist or do not go together.

    queries, database   who asks and who is ranked, in words
    query_in_database   True: the queries are the database, and each query is ranked (and is relevant) among the rest
    ties                "index", "expected", "best" or "worst": the order of items at equal distances
    divisor             of average precision: "all" relevant items of the database or those "found" in the ranking
    without_relevant    a query without any relevant item in the database: "zero" counts as 0, "skip" leaves it out;
                        "skip-unfound" leaves out of average precision as well who finds none in what is seen
    top_k               only the first top_k items of a ranking are seen; None for all
    metric              what ranks: "hamming", "asymmetric", "l2", "cosine" or "inner-product"
    relevance           "labels": items of equal label or, for rows of labels, with a shared one; "label-rows": rows
                        only; "neighbours": what a list of neighbours says for each query
    average             of what at the relevant ranks: the "precision"; "trapezoid", the mean of the precisions just
                        before (1 before the first rank) and at the rank, as the evaluation package of the Holidays data
                        set has it; "gain", the mean number of shared labels so far: weighted average precision
    num_queries, num_base, num_labels, num_neighbours   the sizes it is for: of queries, database, rows of labels and
                        lists of neighbours; None for any
    paper               where it is from, "" for no paper
    """

    name: str
    queries: str
    database: str
    query_in_database: bool = False
    ties: str = "index"
    divisor: str = "all"
    without_relevant: str = "zero"
    top_k: int | None = None
    metric: str = "hamming"
    relevance: str = "labels"
    average: str = "precision"
    num_queries: int | None = None
    num_base: int | None = None
    num_labels: int | None = None
    num_neighbours: int | None = None
    paper: str = ""

    def __post_init__(self):
        where = f"protocol {self.name!r}"
        for field, known in (("ties", TIES), ("divisor", DIVISORS), ("without_relevant", _LONELY),
                             ("metric", _METRICS), ("relevance", _RELEVANCE), ("average", _AVERAGES)):
            value = getattr(self, field)
            if value not in known:
                raise DataError(where, expected=f"{field} " + " or ".join(map(repr, known)), got=repr(value))
        if self.top_k is not None and self.top_k < 1:
            raise DataError(where, expected="top_k of 1 or more", got=self.top_k)
        if self.top_k is not None and self.ties == "expected" and self.divisor == "found":
            raise DataError(where, "how many relevant items a cut ranking holds depends on the order of ties",
                            expected="divisor 'all' with ties 'expected' and top_k", got="divisor 'found'")
        if self.ties == "expected" and (self.average != "precision" or self.without_relevant == "skip-unfound"):
            raise DataError(where, "only plain average precision has a known expectation",
                            expected="average 'precision' and no 'skip-unfound' with ties 'expected'",
                            got=f"{self.average!r} and {self.without_relevant!r}")
        if self.average == "gain" and self.relevance != "label-rows":
            raise DataError(where, expected="relevance 'label-rows' with average 'gain'", got=repr(self.relevance))

    def describe(self) -> str:
        """The protocol in one sentence, to be printed beside every number."""
        included = "each query is in the database and counts as relevant" if self.query_in_database \
            else "no query is in the database"
        seen = "the whole ranking" if self.top_k is None else f"the first {self.top_k} of the ranking"
        return (f"{self.name}: {self.queries} against {self.database} ({included}); "
                f"ranked by {_METRICS[self.metric]}, {TIES[self.ties]}; "
                f"relevant = {_RELEVANCE[self.relevance]}; "
                f"{_AVERAGES[self.average]} is taken over {seen} and divided by {DIVISORS[self.divisor]}; "
                f"a query without relevant items {_LONELY[self.without_relevant]}.")


_PROTOCOLS = {name: Protocol(name, **fields) for name, fields in PROTOCOLS.items()}
STANDARD = _PROTOCOLS["standard"]


def list_protocols() -> dict[str, str]:
    """The named protocols and what each of them means.

    >>> print(list_protocols()["neighbours"].split("; ")[2])
    relevant = in the query's list of neighbours
    """
    return {name: protocol.describe() for name, protocol in _PROTOCOLS.items()}


def get_protocol(name: str, **changes) -> Protocol:
    """The named protocol with some of its fields changed; DataError for unknown names and values.

    With `top_k` the divisor becomes "found", as papers that report mAP@k have it, unless `divisor` says otherwise. A
    top_k of None leaves the protocol its own.

    >>> get_protocol("standard", top_k=5000).divisor
    'found'
    """
    if name not in _PROTOCOLS:
        raise DataError("protocol", expected="a known name", got=repr(name),
                        hint=close_matches(name, _PROTOCOLS) or "'blobnet evaluate --list-protocols' names them")
    if changes.get("top_k") is None:
        changes.pop("top_k", None)
    else:
        changes.setdefault("divisor", "found")
    return dataclasses.replace(_PROTOCOLS[name], **changes)
