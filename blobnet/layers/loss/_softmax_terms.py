"""The terms of a softmax with its logarithmic loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from blobnet.core.terms import Factor, Place, Term, Terms


def softmax_arithmetic(layer) -> dict[str, Any]:
    """What SoftmaxWithLoss computes with: (outer, classes, inner), the divisor, the label that does not count."""
    return {"kind": "softmax_loss", "grouped": list(layer.grouped), "divisor": float(layer.divisor),
            "ignore": layer.ignored}


def softmax_loss_terms(layer, place: Place, bottom, top) -> Terms:
    """The terms of the loss, a cost for each label; or of one number of dx."""
    part = Factor(1 / layer.divisor, None, "1 / Z")
    if place.kind == "top":
        costs = -np.log(np.maximum(_chosen(layer), np.finfo("float32").tiny))
        found: list[Term] = [(Factor(float(costs[at]), None, f"-log p[label], p = {np.exp(-costs[at]):.4g}"), part)
                             for at in map(tuple, np.argwhere(layer.counted))]
        return Terms(place, found, "the mean cost of the labels that count")
    n, c, i = np.unravel_index(np.ravel_multi_index(place.index, bottom[0].shape), layer.grouped)
    p, label = float(layer.probability[n, c, i]), int(layer.labels[n, i])
    if not layer.counted[n, i]:
        return Terms(place, [], "its label does not count")
    weight = layer.weight_factor(top)
    x = bottom[0].data.reshape(layer.grouped)[n, :, i]
    shares = f"p = exp({float(x[c]):.4g}) / sum of exp(x) = {p:.4g}"
    found = [(Factor(p, None, shares), weight, part)]
    if c == label:
        found.append((Factor(-1.0, None, "the class is the label"), weight, part))
    return Terms(place, found, "the probability, less 1 for the label")


def _chosen(layer) -> np.ndarray:
    return np.take_along_axis(layer.probability, layer.labels[:, None, :], axis=1)[:, 0, :]
