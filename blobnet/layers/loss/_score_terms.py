"""The terms of losses of single scores: sigmoid, hinge, infogain."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import sum_of_costs
from blobnet.core.terms import Factor, Index, Place, Term, Terms, reindexed
from blobnet.layers.loss._base import LOG_THRESHOLD

NOT_COUNTED = "its label does not count"


def sigmoid_loss_terms(layer, place: Place, bottom, top) -> Terms:
    """SigmoidCrossEntropyLoss: a cost for each score; dx is the probability less the target."""
    x, share = bottom[0].data, Factor(1 / float(layer.divisor), None, "1 / Z")
    targets = bottom[1].data.reshape(x.shape)
    if place.kind == "top":
        costs = np.log1p(np.exp(-abs(x))) - x * (targets - (x >= 0))

        def told(at: Index) -> tuple[str, Place]:
            return (f"cost of p = {_sigmoid(x[at]):.4g} for the target {targets[at]:.4g}",
                    Place("bottom", 0, "data", at))

        return sum_of_costs(place, np.where(layer.counted, costs, 0), (share,), told, "-(t log p + (1 - t) log(1 - p)) "
                            "of each score")
    if not layer.counted[place.index]:
        return Terms(place, [], "its target does not count")
    own, weight = place._replace(which="data"), layer.weight_factor(top)
    target = Place("bottom", 1, "data", reindexed(place.index, x.shape, bottom[1].shape))
    probability = Factor(_sigmoid(x[place.index]), own, "sigmoid of x")
    found: list[Term] = [(probability, weight, share), (Factor(-1.0, None, "less"), Factor(
        float(targets[place.index]), target), weight, share)]
    return Terms(place, found, "the probability less the target")


def hinge_terms(layer, place: Place, bottom, top) -> Terms:
    """HingeLoss: what each score lacks; dx pushes the scores that lack something."""
    squared, share = layer.options.norm == layer.options.L2, Factor(1 / max(1, len(layer.hinge)), None, "1 / N")
    if place.kind == "top":
        def told(at: Index) -> tuple[str, Place]:
            lack = "label, below 1 by" if at[1] == layer.labels[at[0]] else "another class, above -1 by"
            words = f"class {at[1]} of row {at[0]}, {lack} {layer.hinge[at]:.4g}{', squared' * squared}"
            return words, Place("bottom", 0, "data", reindexed(at, layer.hinge.shape, bottom[0].shape))

        costs = layer.hinge ** 2 if squared else layer.hinge
        return sum_of_costs(place, costs, (share,), told, "what each score lacks")
    at = reindexed(place.index, bottom[0].shape, layer.hinge.shape)
    lack, label = float(layer.hinge[at]), bool(layer.labels[at[0]] == at[1])
    if not lack > 0:
        return Terms(place, [], "the score is on its side of the margin")
    sign = Factor(-1.0 if label else 1.0, None, "the label: pushed up" if label else "another class: pushed down")
    slope = (Factor(2 * lack, place._replace(which="data"), "twice what it lacks"),) if squared else ()
    return Terms(place, [(sign, *slope, layer.weight_factor(top), share)], "the score is not on its side of the margin")


def infogain_terms(layer, place: Place, bottom, top) -> Terms:
    """InfogainLoss: for each label the costs of all classes, weighed by its row of H."""
    share = Factor(1 / float(layer.divisor), None, "1 / Z")
    if place.kind == "top":
        logs = np.log(np.maximum(layer.probability, LOG_THRESHOLD))

        def told(at: Index) -> tuple[str, Place]:
            return (f"-H[label, {at[1]}] log p, p = {layer.probability[at]:.4g}",
                    Place("bottom", 0, "data", reindexed(at, layer.grouped, bottom[0].shape)))

        costs = np.where(layer.counted[:, None, :], -layer.gains * logs, 0)
        return sum_of_costs(place, costs, (share,), told, "minus the logarithms of all probabilities, weighed")
    n, c, i = reindexed(place.index, bottom[0].shape, layer.grouped)
    if not layer.counted[n, i]:
        return Terms(place, [], NOT_COUNTED)
    weight, gains = layer.weight_factor(top), layer.gains[n, :, i]
    probability = Factor(float(layer.probability[n, c, i]), place._replace(which="data"), "p, the softmax")
    return Terms(place, [(probability, Factor(float(gains.sum()), None, "sum of H[label]"), weight, share),
                         (Factor(-float(gains[c]), None, f"-H[label, {c}]"), weight, share)], "the softmax takes what "
                 "the row of the label shares out")


def _sigmoid(x: float) -> float:
    return float(np.exp(-np.logaddexp(0, -x)))
