"""The terms of a softmax with its logarithmic loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from blobnet.core.costs import sum_of_costs
from blobnet.core.terms import Factor, Place, Term, Terms, reindexed


def softmax_arithmetic(layer) -> dict[str, Any]:
    """What SoftmaxWithLoss computes with: (outer, classes, inner), the divisor, the label that does not count."""
    return {"kind": "softmax_loss", "grouped": list(layer.grouped), "divisor": float(layer.divisor),
            "ignore": layer.ignored}


def softmax_loss_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of the loss, a cost for each label; or of one number of dx."""
    part = Factor(1 / float(layer.divisor), None, "1 / Z")
    if place.kind == "top":
        costs = np.where(layer.counted, layer.label_costs(), 0)
        return sum_of_costs(place, costs, (part,), lambda at: (f"-log p[label], p = {np.exp(-costs[at]):.4g}", None),
                            "the mean cost of the labels that count")
    n, c, i = reindexed(place.index, bottom[0].shape, layer.grouped)
    p, label = float(layer.probability[n, c, i]), int(layer.labels[n, i])
    if not layer.counted[n, i]:
        return Terms(place, [], "its label does not count")
    weight = layer.weight_factor(top)
    x = bottom[0].data.reshape(layer.grouped)[n, :, i]
    shares = f"p = exp({float(x[c]):.4g}) / sum of exp(x) = {p:.4g}"
    found: list[Term] = [(Factor(p, None, shares), weight, part)]
    if c == label:
        found.append((Factor(-1.0, None, "the class is the label"), weight, part))
    return Terms(place, found, "the probability, less 1 for the label")
