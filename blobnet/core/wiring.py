"""Which layers and blobs a backward pass must visit (the pruning rules of Caffe 1.0's Net::Init)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass
class Plan:
    """What backward does at a layer, and what decides it."""

    bottoms: Sequence[str]
    tops: Sequence[str]
    is_loss: Sequence[bool]                    # one a top
    param_learns: Sequence[bool] = ()          # one a parameter: its lr_mult is not 0
    propagate_down: Sequence[bool] = ()        # as the prototxt says, one a bottom, or empty
    unforced_bottoms: Sequence[int] = ()
    ignores_propagate_down: bool = False
    one_to_one: bool = False                   # top i depends on bottom i alone
    needs_backward: bool = False               # result: whether backward runs at all
    bottom_needs_backward: list[bool] = dataclasses.field(default_factory=list)  # result, one a bottom


def plan_backward(plans: Sequence[Plan], force: bool = False) -> None:
    """Fill in the results of `plans`, which stand in forward order.

    Forwards: a blob needs a diff if something before it learns. Backwards: a layer runs only if a loss lies above it
    and a layer above hands it a diff. A layer that ignores propagate_down hands all diffs down if it runs; that matters
    where other layers read the blob too, because a Split adds up the diffs. With `force`, everything runs and every
    bottom gets its diff.
    Quirks: a loss whose top is read by a layer under no loss (Silence, say) does not run. It does where its prototxt
    writes a loss_weight, for then a Split stands between.
    """
    blob_needs: dict[str, bool] = {}
    needs: list[list[bool]] = []  # of every layer: which bottoms need their diffs
    for plan in plans:
        needs.append([blob_needs[name] for name in plan.bottoms])
        plan.bottom_needs_backward = list(plan.propagate_down or needs[-1])
        plan.needs_backward = any(needs[-1]) or any(plan.param_learns)
        for i, name in enumerate(plan.tops):
            learned = needs[-1][i] if plan.one_to_one else plan.needs_backward
            blob_needs[name] = blob_needs.get(name, False) or learned

    under_loss: set[str] = set()
    skipped: set[str] = set()
    for plan in reversed(plans):
        contributes = any(plan.is_loss) or any(name in under_loss for name in plan.tops)
        if not contributes or plan.needs_backward and all(name in skipped for name in plan.tops):
            plan.needs_backward = False
            plan.bottom_needs_backward = [False] * len(plan.bottoms)
        under_loss.update(plan.bottoms if contributes else ())
        skipped.update(name for name, needed in zip(plan.bottoms, plan.bottom_needs_backward) if not needed)

    for plan, needed in zip(plans, needs):
        if plan.needs_backward and plan.ignores_propagate_down:
            plan.bottom_needs_backward = [a or b for a, b in zip(plan.bottom_needs_backward, needed)]
    if force:
        for plan in plans:
            plan.needs_backward = True
            plan.bottom_needs_backward = [needed or i not in plan.unforced_bottoms
                                          for i, needed in enumerate(plan.bottom_needs_backward)]
