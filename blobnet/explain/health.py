"""What is wrong with the layers of a net, by the numbers of a pass forward and backward, in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.core.layer import Layer
from blobnet.explain.gradients import gradient_marks
from blobnet.explain.outputs import output_marks
from blobnet.explain.seen import Mark, Seen
from blobnet.explain.ways import before_splits, ways_to_loss


def marks(nodes: Sequence[Seen]) -> dict[int, list[Mark]]:
    """What is wrong with the layers of a whole net, `nodes` in their order, by layer.index; healthy ones are not in it.

    A layer has at most one mark of a kind. Splits have none.
    """
    layers = [seen.layer for seen in nodes]
    ways, names = dict(zip((layer.index for layer in layers), ways_to_loss(layers))), before_splits(layers)
    nodes = [seen for seen in nodes if not seen.layer.is_split]
    found = {seen.layer.index: output_marks(seen) for seen in nodes}
    for index, mark in gradient_marks(nodes, names):
        if mark.kind not in [other.kind for other in found[index]]:
            found[index].append(mark)
    for seen in nodes:
        found[seen.layer.index] += _idle(seen, ways[seen.layer.index])
    return {index: given for index, given in found.items() if given}


def _idle(seen: Seen, way: str) -> list[Mark]:
    """Which parameters learn nothing, and why: one mark at most. way: as of `ways_to_loss`."""
    layer = seen.layer
    reasons = {} if layer.keeps_statistics else {
        i: reason for i, diff in enumerate(seen.param_diffs) if (reason := _why_idle(layer, i, diff, way))}
    if not reasons:
        return []
    texts = []
    for reason in dict.fromkeys(reasons.values()):
        which = [i for i in reasons if reasons[i] == reason]
        everything = len(which) == len(seen.param_diffs)
        texts.append(f"It learns nothing: {reason}." if everything else
                     f"Parameter {' and '.join(map(str, which))} learns nothing: {reason}.")
    return [Mark("idle", " ".join(texts))]


def _why_idle(layer: Layer, i: int, diff: np.ndarray | None, way: str) -> str:
    """Why a parameter learns nothing, "" if it learns."""
    if any(spec.lr_mult == 0 for spec in layer.param.param[i:i + 1]):
        return "it is frozen, its lr_mult is 0"
    if diff is None:
        return way or "backward does not come here"
    return "its gradient is exactly 0 in this batch" if diff.size and not diff.any() else ""
