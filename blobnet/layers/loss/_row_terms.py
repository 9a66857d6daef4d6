"""The terms of losses of given pairs and triplets: a cost for each row of the bottoms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.core.costs import row_of, sum_of_costs
from blobnet.core.terms import Factor, Index, Place, Terms, reindexed

FAR = "far enough from each other"
UNLEARNT = "it gets no gradient"


def contrastive_terms(layer, place: Place, bottom, top) -> Terms:
    """ContrastiveLoss: a cost for each pair; da and db pull and push the pairs that have one."""
    if (place.kind, place.number) == ("bottom", 2):
        return Terms(place, [], UNLEARNT)
    rows = len(layer.slopes)
    distances = np.sqrt(np.einsum("nc,nc->n", layer.difference, layer.difference))
    similar = np.trunc(bottom[2].data.reshape(-1)) != 0
    if place.kind == "top":
        legacy, margin = layer.options.legacy_version, layer.options.margin
        pushed = np.maximum(margin - distances ** 2, 0) if legacy else np.maximum(margin - distances, 0) ** 2

        def told(at: Index) -> tuple[str, None]:
            rule = "the squared distance" if similar[at] else "margin - distance^2" if legacy else (
                "(margin - distance)^2")
            return f"pair {at[0]}, {'similar' if similar[at] else 'unlike'}, distance {distances[at]:.4g}: {rule}", None

        return sum_of_costs(place, np.where(similar, distances ** 2, pushed), (Factor(0.5 / max(1, rows), None,
                            "1 / 2N"),), told, "similar pairs should be near, others a margin apart")
    n, _ = row_of(place, bottom[place.number], layer.rows)
    words = "similar: pulled together" if similar[n] else "unlike and near: pushed apart"
    slope = Factor(float(layer.slopes[n]), None, words)
    share = (slope, layer.weight_factor(top), Factor(1 / max(1, rows), None, "1 / N"))
    return difference_terms(place, bottom, (place.number, 1 - place.number), share, words if slope.value else FAR)


def triplet_terms(place: Place, bottom, used: np.ndarray, gaps: np.ndarray, part: float, down: Sequence[Factor],
                  rows: tuple[int, int]) -> Terms:
    """Losses of triplets (a, p, q) by squared distances: used (N,) is the weight of a row, 0 where it costs nothing.

    gaps: margin + distance to p - distance to q, which times `part` costs; down: the factors of the gradient.
    """
    if place.kind == "top":
        return sum_of_costs(place, used * gaps, (Factor(part, None, "share of a row"),), lambda at: (
            f"triplet {at[0]}: margin + distance to the similar one - distance to the other", None),
            "what the triplets lack")
    if place.number == 3:
        return Terms(place, [], UNLEARNT)
    n, _ = row_of(place, bottom[0], rows)
    sides = ((2, 1), (1, 0), (0, 2))[place.number]
    words = "the triplet costs: the similar one is pulled, the other pushed" if used[n] else "the triplet costs nothing"
    return difference_terms(place, bottom, sides, (Factor(float(used[n]), None, "weight of the row"), *down), words)


def difference_terms(place: Place, bottom, sides: tuple[int, int], share: Sequence[Factor], words: str) -> Terms:
    """The difference of the numbers of two bottoms at a place, times the factors `share`; nothing if one is 0."""
    if not all(factor.value for factor in share):
        return Terms(place, [], words)
    found, shape = [], bottom[place.number].shape
    for sign, side in zip((1.0, -1.0), sides):
        at = Place("bottom", side, "data", reindexed(place.index, shape, bottom[side].shape))
        less = () if sign > 0 else (Factor(sign, None, "less"),)
        found.append((*less, Factor(float(bottom[side].data[at.index]), at), *share))
    return Terms(place, found, words)
