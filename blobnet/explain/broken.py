"""What a fault in one backward does: where the check notices it, and how the net trains with it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from blobnet.check.net_loss import PLACE
from blobnet.check.results import GradientResult
from blobnet.core.net import Net
from blobnet.explain.curves import Curve, Training
from blobnet.explain.fault import broken
from blobnet.explain.fault_check import check_fault
from blobnet.explain.training import explained_solver, record

FELL = 0.9  # of the loss at the beginning: less than this part of it counts as learnt


@dataclasses.dataclass
class Broken:
    """index, layer: of the layer with the fault, and its factor; check: what the check finds in the layer and in the
    whole net; healthy, faulty: the loss of two trainings that differ in the fault alone, empty without a solver;
    stopped: the error that ended the second one early, or ""; text: what is to be learnt from it.
    """

    index: int
    layer: str
    factor: float
    check: list[GradientResult]
    healthy: Curve = dataclasses.field(default_factory=list)
    faulty: Curve = dataclasses.field(default_factory=list)
    stopped: str = ""
    text: str = ""


def break_layer(net: Net, layer: str, factor: float, solver: str | os.PathLike | None = None, steps: int = 100,
                bottoms: Sequence[np.ndarray] | None = None, **options) -> Broken:
    """Check and train a net with a fault in `layer`: its backward writes `factor` times what is right.

    net, bottoms: as for `check_fault`. solver: the file of a solver whose net has that layer too; it makes `steps`
    iterations twice, from the same seed and weights; options: as for `explained_solver`. Errors as those of `broken`.
    """
    found = Broken(net.position(layer, "--break"), layer, factor, check_fault(net, layer, factor, bottoms))
    if solver is not None:
        healthy = explained_solver(solver, **options)
        options["random_seed"] = healthy.random_seed
        curves = record(healthy, steps, frames=2, test_batches=0)
        faulty = explained_solver(solver, **options)
        with broken(faulty.net, layer, factor):
            bent = record(faulty, steps, frames=2, test_batches=0)
        found.healthy, found.faulty, found.stopped = curves.loss, bent.loss, bent.stopped
        found.text = f"{_said_of_check(found.check)} {_said_of_training(curves, bent)}"
    else:
        found.text = _said_of_check(found.check)
    return found


def _said_of_check(check: Sequence[GradientResult]) -> str:
    gradients = [result for result in check if result.checked]
    wrong = [result for result in gradients if not result.passed]
    if not gradients:
        return "The check has no gradient to look at."
    if not wrong:
        return "The check does not notice it: the gradients are within its tolerance."
    names = ", ".join(result.blob if result.layer != PLACE[0] else "whole net" for result in wrong)
    return f"The check notices it: wrong are {len(wrong)} of {len(gradients)} gradients ({names})."


def _said_of_training(healthy: Training, faulty: Training) -> str:
    if healthy.stopped:
        return f"Training ends without it too: {healthy.stopped}."
    if faulty.stopped:
        return f"Training ends with it: {faulty.stopped}."
    start, right, wrong = _mean(healthy.loss[:1]), _mean(healthy.loss), _mean(faulty.loss)
    text = f"After {faulty.steps[-1]} iterations the loss is {wrong:.4g}, without the fault {right:.4g}"
    if wrong < FELL * start:
        return f"{text}: the net learns with it too, so a loss that falls does not prove that the gradients are right."
    return f"{text}: only the net without the fault learns." if right < FELL * start else f"{text}."


def _mean(curve: Curve) -> float:
    """The mean of the last tenth of a curve."""
    return float(np.mean([value for _, value in curve[-max(1, len(curve) // 10):]]))
