"""The terms of a softmax."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import listed
from blobnet.core.terms import Factor, Index, Place, Term, Terms, reindexed


def softmax_terms(layer, place: Place, bottom, top) -> Terms:
    """The exp of a score and the sum of all; of dx the way straight to y, and those through the sum."""
    grouped, shape = layer.grouped, bottom[0].shape
    n, k, i = reindexed(place.index, shape, grouped)
    if place.kind == "top":
        x = bottom[0].data.reshape(grouped)[n, :, i]
        exps, highest = np.exp(x - x.max()), float(x.max())
        return Terms(place, [(Factor(float(exps[k]), place._replace(kind="bottom"), f"exp(x - {highest:.4g})"),
                              Factor(float(1 / exps.sum()), None, f"1 / sum of the {len(x)} exps"))],
                     "its exp among the exps of all, the largest score taken off before")
    y, dy = (array.reshape(grouped)[n, :, i] for array in (top[0].data, top[0].diff))

    def at(j: int, which: str) -> Place:
        return Place("top", 0, which, reindexed((n, j, i), grouped, shape))

    def through_sum(index: Index) -> Term:
        j = index[0]
        return (Factor(-1.0, None, "through the sum"), own, Factor(float(y[j]), at(j, "data")),
                Factor(float(dy[j]), at(j, "diff")))

    own = Factor(float(y[k]), at(k, "data"))
    others = listed(place, -y[k] * y * dy, through_sum, "what it adds to its own exp, less what the sum, which grows "
                    "with it, takes off all")
    return others._replace(terms=[(own, Factor(float(dy[k]), at(k, "diff"), "straight")), *others.terms])
