"""The terms of HashingLoss and of its kin for given pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from blobnet.core.costs import added, pulls, row_of, sum_of_costs
from blobnet.core.terms import Factor, Place, Term, Terms, reindexed
from blobnet.layers.hashing._pair_terms import pair_costs
from blobnet.ops.quantization import binary_slopes

PUBLISHED = "; as published, where the pairs count half of the derivative"


def binary_pull(place: Place, number: int, codes, share: Term) -> Terms:
    """The terms of | |u| - 1 | times `share`: of all numbers of a bottom, or of the slope at a bottom's place."""
    u = codes.data
    if place.kind == "top":
        return sum_of_costs(place, abs(abs(u) - 1), share, lambda at: ("| |u| - 1 |", Place("bottom", number, "data",
                                                                                             at)))
    words = f"slope of | |u| - 1 | at u = {u[place.index]:.4g}: towards -1 or +1"
    return Terms(place, [(Factor(float(binary_slopes(u)[place.index]), place._replace(which="data"), words), *share)])


def hashing_arithmetic(layer) -> dict[str, Any]:
    """What HashingLoss computes with; factor: what the pairs' published gradient is multiplied by."""
    options = layer.options
    return {"kind": "hashing_loss", "margin": options.bi_margin, "tradeoff": options.tradeoff,
            "factor": 2 if options.gradient == options.EXACT else 1}


def hashing_terms(layer, place: Place, bottom, top) -> Terms:
    """HashingLoss: every pair i < j, and the pull of every number towards -1 or +1."""
    n, tradeoff = bottom[0].num, layer.options.tradeoff
    pairs, exact = max(1, n * (n - 1)), layer.options.gradient == layer.options.EXACT
    pull = (Factor(tradeoff / n, None, "tradeoff / N"),)
    if place.kind == "top":
        found = pair_costs(place, np.triu(layer.costs, 1), layer.alike, (Factor(1 / pairs, None, "1 / (N (N - 1))"),))
        if n < 2:
            found = Terms(place, [(Factor(np.nan, None, "no pairs to take the mean of"),)])
        return added(place, [found, binary_pull(place, 0, bottom[0], pull)], "similar pairs cost their squared "
                     "distance, others what they lack of the margin; and every number what it is away from -1 and +1")
    weight = layer.weight_factor(top)
    share = Factor((2 if exact else 1) / pairs, None, f"{2 if exact else 1} / (N (N - 1))")
    rows = n, bottom[0].count // n
    row, _ = row_of(place, bottom[0], rows)
    found = pulls(place, bottom[0], rows, layer.signs[row], (weight, share), layer.alike[row])
    return added(place, [found, binary_pull(place, 0, bottom[0], (weight, *pull))], "similar rows pull this number "
                 "towards theirs, unlike ones within the margin push it away; and the pull towards -1 or +1"
                 + PUBLISHED * (not exact))


def given_pair_terms(layer, place: Place, bottom, top) -> Terms:
    """PairwiseHashingLoss: the same for pairs that are given, (a_n, b_n)."""
    n, tradeoff = max(1, layer.rows[0]), layer.options.tradeoff
    pull = (Factor(tradeoff / n, None, "tradeoff / N"),)
    if place.kind == "top":
        found = sum_of_costs(place, layer.costs, (Factor(0.5 / n, None, "1 / 2N"),), lambda at: (
            f"pair {at[0]}, {'similar' if layer.alike[at] else 'unlike'}", None))
        return added(place, [found, *(binary_pull(place, i, blob, pull) for i, blob in enumerate(bottom[:2]))],
                     "similar pairs cost their squared distance, others what they lack of the margin; and every number "
                     "what it is away from -1 and +1")
    at, shape = row_of(place, bottom[place.number], layer.rows), bottom[1 - place.number].shape
    row, weight = at[0], layer.weight_factor(top)
    sign, c = (1.0, -1.0)[place.number], float(layer.signs[row])
    other = Place("bottom", 1 - place.number, "data", reindexed(at, layer.rows, shape))
    words = {1.0: "similar: pulls", -1.0: "unlike and near: pushes"}.get(c, "")
    apart = Factor(sign * float(layer.difference[at]), other, "from the other code to this one")
    found = Terms(place, [(apart, Factor(c, None, words), weight, Factor(1 / n, None, "1 / N"))] * (c != 0))
    return added(place, [found, binary_pull(place, place.number, bottom[place.number], (weight, *pull))],
                 "the pull or push of the pair, and the pull towards -1 or +1")
