"""The slip that explains wrong numbers, and how it is told."""

from __future__ import annotations

import numpy as np

from blobnet.check.grading import factors, functions, other_layers, partial, residues
from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.slips import Slip

HYPOTHESES = (  # the likeliest first: of several that explain the numbers, the first is told
    functions.not_finite, factors.sign, functions.transposed, other_layers.top_diff, functions.all_zero,
    other_layers.other_spot, factors.named_factor, partial.mask, other_layers.other_variant, factors.varying_factor,
    residues.missing_term, functions.function_of, functions.moved, functions.fewer_rows, functions.precision,
    factors.any_factor, other_layers.variant_and_factor, partial.part_of_it, other_layers.unlikely_variant)


def explain(evidence: Evidence) -> Finding:
    """What is wrong: the first wrong element, and the likeliest slip of those that give these numbers."""
    index = tuple(map(int, np.argwhere(evidence.wrong)[0]))
    got, expected = float(evidence.got[index]), float(evidence.expected[index])
    place = evidence.spot.at(index)
    slip, words = _explanation(evidence)
    first = "" if evidence.got.size == 1 else "first wrong element: "
    return Finding(evidence.verb, State.WRONG, f"{first}{place} is {got:.8g}, expected {expected:.8g}. {words}", slip,
                   place, got, expected)


def _explanation(evidence: Evidence) -> Explanation:
    for hypothesis in HYPOTHESES:
        found = hypothesis(evidence)
        if found:
            return found
    formula = evidence.clues.letter(evidence.spot)
    count = f"{evidence.wrong.sum()} of {evidence.wrong.size} elements are wrong{partial.where(evidence)}. "
    return Explanation(Slip.UNKNOWN, ("" if evidence.wrong.size == 1 else count) + "No usual slip gives these numbers. "
                       f"Read the formula of {formula} in the docstring again, and work this element out by hand.")
