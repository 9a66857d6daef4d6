"""The terms of BatchTripletLoss."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import added, pulls, row_of, sum_of_costs
from blobnet.core.terms import Factor, Index, Place, Term, Terms


def batch_triplet_terms(layer, place: Place, bottom, top) -> Terms:
    """What every triplet and every near pair costs; which rows pull and push a number."""
    return _costs(layer, place) if place.kind == "top" else _pulls(layer, place, bottom[0], top)


def _costs(layer, place: Place) -> Terms:
    (i, j), mu = layer.near, layer.options.mu

    def triplet(at: Index) -> tuple[str, None]:
        return f"row {i[at[0]]} nearer to row {j[at[0]]} than to row {at[1]}", None

    def pair(at: Index) -> tuple[str, None]:
        return f"squared distance of rows {at[0]} and {at[1]}", None

    lacks = np.where(layer.violated, layer.gaps, 0)
    parts = [sum_of_costs(place, lacks, (Factor(mu / layer.all, None, "mu / triplets"),), triplet)]
    if mu < 1 and len(i):
        share = Factor((1 - mu) / len(i), None, "(1 - mu) / pairs")
        parts.append(sum_of_costs(place, np.where(layer.pairs, layer.distances, 0), (share,), pair))
    return added(place, parts, "what the triplets lack of the margin" + ", and the distances of near pairs" * (mu < 1))


def _pulls(layer, place: Place, x, top) -> Terms:
    row, _ = row_of(place, x, layer.rows)
    down: Term = (Factor(2.0, None, "slope of a square"), *[layer.weight_factor(top)] * layer.exact())
    return pulls(place, x, layer.rows, layer.pair_slopes()[row], down)._replace(
        words="rows of its class pull this number towards theirs, others push it away"
              + "; as published, with the mean over the triplets in use" * (not layer.exact()))
