"""The terms of losses: costs of rows, pairs or single numbers, and which rows pull and push a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from blobnet.core.terms import Factor, Index, Place, Term, Terms, index_of, largest, reindexed

Told = Callable[[Index], tuple[str, Place | None]]  # of the cost at an index: words, and the number that it is of
Rows = tuple[int, int]                              # how many, and numbers in each


def listed(place: Place, products: np.ndarray, term_at: Callable[[Index], Term], words: str = "") -> Terms:
    """The terms of a sum of products; those that are 0 are left out, and of many the largest are listed."""
    flat = products.reshape(-1)
    found = np.flatnonzero(flat)
    chosen = found[largest(flat[found])]
    terms = [term_at(index_of(i, products.shape)) for i in chosen]
    others = found.size - chosen.size
    return Terms(place, terms, words, math.fsum(np.delete(flat, chosen)), "smaller terms" if others else "", others)


def sum_of_costs(place: Place, costs: np.ndarray, share: Term, told: Told, words: str = "") -> Terms:
    """The terms of a sum of costs, each times `share`."""
    def term_at(at: Index) -> Term:
        said, source = told(at)
        return (Factor(float(costs[at]), source, said), *share)

    return listed(place, costs * _product(share), term_at, words)


def pulls(place: Place, blob, rows: Rows, forces: np.ndarray, down: Term, similar: Sequence[bool] = ()) -> Terms:
    """The sum over j of forces[j] * (u_ik - u_jk), times `down`, for the number u_ik at a place of a bottom.

    blob: that bottom; forces (N,): above 0 a row pulls, below 0 it pushes; `similar` (N,) may say which rows belong
    together.
    """
    (i, k), u = row_of(place, blob, rows), blob.data.reshape(rows)
    apart = u[i, k] - u[:, k]

    def term_at(at: Index) -> Term:
        kind = "" if not len(similar) else "similar, " if similar[at[0]] else "unlike, "
        source = place._replace(which="data", index=reindexed((at[0], k), rows, blob.shape))
        return (Factor(float(apart[at]), source, f"from row {at[0]} to this row"),
                Factor(float(forces[at]), None, f"{kind}{'pulls' if forces[at] > 0 else 'pushes'}"), *down)

    return listed(place, apart * forces * _product(down), term_at)


def products_of_rows(place: Place, other: int, blob, rows: Rows, slopes: np.ndarray, down: Term,
                     k: int | None = None) -> Terms:
    """The sum over j of slopes[j] * v_jk, times `down`, for the number u_ik at a place; v are the rows of bottom
    `other`, and slopes (N,) are by the inner products <u_i, v_j>. k may be left out if u and v have one shape."""
    k, v = row_of(place, blob, rows)[1] if k is None else k, blob.data.reshape(rows)

    def term_at(at: Index) -> Term:
        words = "pushes" if slopes[at] > 0 else "pulls"  # a step goes against the gradient
        source = Place("bottom", other, "data", reindexed((at[0], k), rows, blob.shape))
        slope = Factor(float(slopes[at]), None, f"slope of the pair with row {at[0]}: {words}")
        return (Factor(float(v[at[0], k]), source), slope, *down)

    return listed(place, v[:, k] * slopes * _product(down), term_at)


def added(place: Place, parts: Sequence[Terms], words: str = "") -> Terms:
    """The terms of a number that is the sum of several."""
    rest_words = next((part.rest_words for part in parts if part.rest_words), "")
    return Terms(place, [term for part in parts for term in part.terms], words, math.fsum(part.rest for part in parts),
                 rest_words, sum(part.unlisted for part in parts))


def row_of(place: Place, blob, rows: Rows) -> tuple[int, int]:
    """Row and position in it of a place of `blob`, where that is read as rows."""
    i, k = reindexed(place.index, blob.shape, rows)
    return i, k


def _product(factors: Sequence[Factor]) -> float:
    return math.prod(factor.value for factor in factors)
