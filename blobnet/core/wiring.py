"""Which layers and blobs a backward pass must visit (the pruning rules of Caffe 1.0's Net::Init)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass
class Node:
    """What the pruning needs to know of a layer."""

    bottoms: Sequence[str]
    tops: Sequence[str]
    is_loss: Sequence[bool]                    # one a top
    param_learns: Sequence[bool] = ()          # one a parameter: its lr_mult is not 0
    propagate_down: Sequence[bool] = ()        # the layer's own wish, one a bottom, or empty
    unforced_bottoms: Sequence[int] = ()
    ignores_propagate_down: bool = False
    needs_backward: bool = False               # result: whether backward runs at all
    bottom_needs_backward: list[bool] = dataclasses.field(default_factory=list)  # result, one a bottom


def plan_backward(nodes: Sequence[Node], force: bool = False) -> None:
    """Fill in the results of `nodes`, which stand in forward order.

    Forwards: a blob needs its diff if something before it learns. Backwards: a layer runs only if it lies under a
    loss and somebody above hands it a diff. A layer that ignores propagate_down hands its diffs down all the same if it
    runs, which counts where the blob is read by others too: a Split adds them up. With `force`, everything runs and
    every bottom gets its diff.
    Quirks: a loss whose top is read by a layer under no loss (Silence, say) does not run. It does where its prototxt
    writes a loss_weight, for then a Split stands between.
    """
    blob_needs: dict[str, bool] = {}
    needs: list[list[bool]] = []  # of every node: which bottoms need their diffs
    for node in nodes:
        needs.append([blob_needs[name] for name in node.bottoms])
        node.bottom_needs_backward = list(node.propagate_down or needs[-1])
        node.needs_backward = any(needs[-1]) or any(node.param_learns)
        for name in node.tops:
            blob_needs[name] = blob_needs.get(name, False) or node.needs_backward

    under_loss: set[str] = set()
    skipped: set[str] = set()
    for node in reversed(nodes):
        contributes = any(node.is_loss) or any(name in under_loss for name in node.tops)
        if not contributes or node.needs_backward and all(name in skipped for name in node.tops):
            node.needs_backward = False
            node.bottom_needs_backward = [False] * len(node.bottoms)
        under_loss.update(node.bottoms if contributes else ())
        skipped.update(name for name, needed in zip(node.bottoms, node.bottom_needs_backward) if not needed)

    for node, needed in zip(nodes, needs):
        if node.needs_backward and node.ignores_propagate_down:
            node.bottom_needs_backward = [a or b for a, b in zip(node.bottom_needs_backward, needed)]
    if force:
        for node in nodes:
            node.needs_backward = True
            node.bottom_needs_backward = [needed or i not in node.unforced_bottoms
                                          for i, needed in enumerate(node.bottom_needs_backward)]
