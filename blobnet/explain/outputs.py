"""Layers whose outputs let nothing through: not finite, dead, saturated."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.layer import Layer
from blobnet.explain.seen import Mark, Seen

DEAD = 0.95        # share of zeros; of a healthy rectifier about one half are
DEAD_CHANNEL = 64  # numbers of a channel from which on it tells something that all are 0; of fewer it may be chance
SATURATED = 0.5    # share of numbers near a bound: for most of them backward brings next to nothing
NEAR = 0.01        # of the distance of the bounds; there the slope of a Sigmoid is 1/25 of its largest, or less


def output_marks(seen: Seen) -> list[Mark]:
    """What is wrong with the data of the tops: not finite, dead, saturated; one mark at most."""
    for top in seen.tops:
        if not np.isfinite(top).all():
            count = int((~np.isfinite(top)).sum())
            return [Mark("exploding", f"{count} of the {top.size} numbers that it computes are not finite: all that is "
                         "made of them is not either.")]
    top = seen.tops[0] if seen.tops else np.zeros(0)
    if not top.size:
        return []
    return (_dead(top) if seen.layer.rectifies else []) or _saturated(seen.layer, top)


def _dead(top: np.ndarray) -> list[Mark]:
    share = float((top == 0).mean())
    if share > DEAD:
        return [Mark("dead", f"{share:.1%} of its numbers are 0: nothing goes through there, forward or backward, so "
                     "the layers below hardly learn.")]
    channels = top.shape[1] if top.ndim > 1 else 1
    if channels < 2 or top.size // channels < DEAD_CHANNEL:
        return []
    silent = int((top == 0).all(axis=tuple(axis for axis in range(top.ndim) if axis != 1)).sum())
    return [Mark("dead", f"{silent} of its {channels} channels {'is' if silent == 1 else 'are'} 0 for all {len(top)} "
                 "images of the batch: these bring no gradient to what makes them.")] if silent else []


def _saturated(layer: Layer, top: np.ndarray) -> list[Mark]:
    bounds = layer.bounds(layer.param)
    if bounds is None:
        return []
    ends = [bound for bound in bounds if math.isfinite(bound)]
    near = NEAR * (ends[1] - ends[0] if len(ends) == 2 else abs(ends[0]))
    share = float(np.any([abs(top - end) <= near for end in ends], axis=0).mean())
    words = " or ".join(f"{end:g}" for end in ends)
    return [Mark("saturated", f"{share:.1%} of its numbers are within 1 % of {words}: the slope there is next to 0, so "
                 "hardly a gradient goes through.")] if share > SATURATED else []
