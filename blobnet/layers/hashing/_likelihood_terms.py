"""The terms of PairwiseLoss."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import added, products_of_rows, row_of, sum_of_costs
from blobnet.core.terms import Factor, Place, Term, Terms
from blobnet.layers.hashing._pair_terms import WORDS, pair_costs
from blobnet.ops.quantization import binary_costs, log_cosh_slopes


def likelihood_terms(layer, place: Place, bottom, top) -> Terms:
    """The pairs, and with two bottoms the pull of every number towards -1 or +1."""
    parts, total = [], float(layer.total)
    if place.kind == "top":
        share = Factor((layer.options.l_lambda > 0) / total, None, "1 / W")
        parts.append(pair_costs(place, layer.weighted, layer.alike, (share,)))
    else:
        parts.append(_of_pairs(layer, place, bottom, top, total))
    if len(bottom) == 2:
        parts.append(_of_pull(layer, place, bottom[0], top))
    published = place.kind == "bottom" and not layer.exact()
    return added(place, parts, WORDS + "; as published, which is not the derivative" * published)


def _of_pairs(layer, place: Place, bottom, top, total: float) -> Terms:
    row, _ = row_of(place, bottom[place.number], layer.rows)
    slopes, options, other = layer.slopes(), layer.options, (place.number - 2) % len(bottom)
    alpha = Factor(options.sigmoid_param, None, "alpha")
    down: Term
    if layer.exact():
        down = layer.weight_factor(top), alpha, Factor(4 // len(bottom) / total, None, f"{4 // len(bottom)} / W")
    else:
        down = (Factor(2 * options.l_lambda / total, None, "2 l / W"),)
        if np.ravel_multi_index(place.index, bottom[place.number].shape) < layer.rows[0]:
            down = *down, alpha  # as published, of the first N numbers alone
    side = slopes if place.number == 0 else slopes.T
    return products_of_rows(place, other, bottom[other], layer.rows, side[row], down)


def _of_pull(layer, place: Place, codes, top) -> Terms:
    u, options = codes.data, layer.options
    if place.kind == "top":
        share = (Factor((options.q_gamma > 0) / u.size, None, "1 / (N K)"),)
        costs = binary_costs(u, options.q_threshold)
        return sum_of_costs(place, costs, share, lambda at: ("distance to -1 or +1", Place("bottom", 0, "data", at)))
    exact = layer.exact()
    slope = float(log_cosh_slopes(u, options.q_threshold if exact else -1)[place.index])
    scale = Factor((options.q_gamma > 0) / u.size, None, "1 / (N K)") if exact else (
        Factor(options.q_gamma / layer.rows[0], None, "q / N"))
    pull = Factor(slope, place._replace(which="data"), "slope of the distance to -1 or +1")
    return Terms(place, [(pull, scale, *[layer.weight_factor(top)] * exact)])
