"""Layers that draw random numbers: theirs need not be those of the right layer, but as many must go through."""

from __future__ import annotations

import numpy as np

from blobnet.check.grading.evidence import Evidence
from blobnet.check.grading.explain import explain
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.passes import Spot, same
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.subject import Subject
from blobnet.check.standalone import Standalone

STEPS = 200
SIGMAS = 6.0


def look_at_draws(subject: Subject, spot: Spot, top: np.ndarray) -> Finding:
    """A top whose elements are 0 or a multiple of the bottom's: is the multiple right, and are there enough of them?"""
    right, x = subject.scene.build(), subject.values[0]
    if top.shape != x.shape:
        return explain(Evidence(spot, top, subject.scene.answers[0].top[spot.number], subject.clues,
                                subject.scene.answers[0]))
    answer = subject.scene.answers[0].top[0]
    factor = np.median((answer / x)[answer != 0])
    expected = np.where(top == 0, 0, x * factor)
    if not same(top, expected):
        return explain(Evidence(spot, top, expected, subject.clues, subject.scene.answers[0]))
    mine_share, right_share = _share(subject.build()), _share(right)
    spread = np.sqrt(right_share * (1 - right_share) / (STEPS * top.size))
    if abs(mine_share - right_share) > SIGMAS * spread:
        return Finding("forward", State.WRONG, f"{mine_share:.0%} of the elements go through, and {right_share:.0%} "
                       "should. Which random numbers silence an element, those below the ratio or those above it?",
                       Slip.MASK, str(spot))
    return Finding("forward", State.RIGHT, f"{spot} is right: {mine_share:.0%} of the elements go through.",
                   place=str(spot))


def _share(alone: Standalone) -> float:
    """The share of elements that are not 0, over many steps."""
    shares = []
    for step in range(STEPS):
        alone.layer.context.step = step
        shares.append(float((alone.forward()[0] != 0).mean()))
    return float(np.mean(shares))
