"""Slips whose numbers are those of another layer: the right one made to slip, or another of its blobs."""

from __future__ import annotations

import numpy as np

from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.factors import ratio
from blobnet.check.grading.numbers import named
from blobnet.check.grading.passes import Spot
from blobnet.check.grading.slips import Slip

FIRST = (Slip.LOSS_WEIGHT, Slip.UPSTREAM, Slip.ROWS)  # variants that are looked at before factors


def top_diff(evidence: Evidence) -> Explanation | None:
    """The diff of the top, or the weight of a loss, is not used as it should be."""
    return _variant(evidence, True)


def other_variant(evidence: Evidence) -> Explanation | None:
    """The numbers of a layer that does one thing otherwise."""
    return _variant(evidence, False)


def unlikely_variant(evidence: Evidence) -> Explanation | None:
    """The same of options that nobody gave."""
    return _variant(evidence, False, False)


def other_spot(evidence: Evidence) -> Explanation | None:
    """The numbers of another bottom or parameter."""
    for kind in ("bottom", "param") if not evidence.spot.of_forward else ():
        for number in range(len(getattr(evidence.answer, kind))):
            spot = Spot(kind, number)
            if spot != evidence.spot and evidence.explained_by(evidence.answer.at(spot)):
                return Explanation(Slip.SWAPPED, f"These are the numbers of {spot}. Which of them belongs where?")
    return None


def _variant(evidence: Evidence, first: bool, likely: bool = True) -> Explanation | None:
    for recipe, numbers in evidence.clues.variants:
        meant = (recipe.slip in FIRST) == first and recipe.likely == likely
        if meant and evidence.explained_by(numbers.at(evidence.spot)):
            return Explanation(recipe.slip, f"The numbers are those that come out as if {recipe.as_if}. "
                               f"{recipe.question}")
    return None


def variant_and_factor(evidence: Evidence) -> Explanation | None:
    """Two slips at once: a variant, times a number that has a name."""
    if evidence.got.size < 2:
        return None
    for recipe, run in evidence.clues.variants:
        numbers = run.at(evidence.spot)
        if not recipe.likely or numbers.shape != evidence.got.shape or np.ptp(numbers) == 0:
            continue
        factor = ratio(evidence.got, numbers, evidence.rtol)
        if factor is None or not named(evidence.scene, abs(factor)) and factor != -1:
            continue
        return Explanation(recipe.slip, f"Two things seem to be wrong. The numbers are {factor:.6g} times those that "
                           f"come out as if {recipe.as_if}. {recipe.question}")
    return None
