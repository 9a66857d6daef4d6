"""Slips that touch a part of an array only: which part, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.factors import ratio
from blobnet.check.grading.numbers import named
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.vary_options import fields_of, value_of


def part_of_it(evidence: Evidence) -> Explanation | None:
    """The same thing is wrong with all wrong elements, and the others are right."""
    wrong = evidence.wrong
    got, right = evidence.got[wrong], evidence.expected[wrong]
    here = f"{wrong.sum()} of {wrong.size} elements are wrong{where(evidence)}"
    if wrong.all() and wrong.size > 1 or not np.isfinite(got).all():
        return None
    if found := _through(evidence):
        return found
    if np.allclose(got, -right, rtol=0, atol=evidence.rtol * abs(right).max()):
        return Explanation(Slip.SIGN, f"{here}: their size is right, their sign is not.")
    if _at_border(evidence):
        pad = any(field.name.startswith("pad") and value_of(evidence.scene.param, name, field)
                  for name, field in fields_of(evidence.scene.param))
        return Explanation(Slip.PADDING if pad else Slip.WINDOW, f"{here}. What do your windows meet at the border?")
    if got.size > 1 and np.ptp(got - right) <= evidence.rtol * abs(right).max():
        return Explanation(Slip.OFFSET, f"{here}: these are all off by the same number, {(got - right)[0]:.6g}. What "
                           "is added or subtracted at these places?")
    factor = ratio(got, right, evidence.rtol)
    if factor is not None and (named(evidence.scene, abs(factor)) or got.size > 1):
        return Explanation(Slip.FACTOR, f"{here}: these are exactly {factor:.6g} times what they should be.")
    return None


def mask(evidence: Evidence) -> Explanation | None:
    """Backward lets something through where nothing flows, or nothing where something does, and is right elsewhere."""
    wrong = evidence.wrong
    if evidence.spot.of_forward or wrong.all():
        return None
    return _through(evidence)


def _through(evidence: Evidence) -> Explanation | None:
    wrong = evidence.wrong
    if not evidence.expected[wrong].any():
        what = "should be 0, as nothing flows there"
    elif not evidence.got[wrong].any():
        what = "are 0 and should not be"
    else:
        return None
    return Explanation(Slip.MASK, f"{wrong.sum()} of {wrong.size} elements are wrong{where(evidence)}: these {what}. "
                       "Which condition decides what goes through?")


def where(evidence: Evidence) -> str:
    """Which elements are wrong, in words that go on a sentence; "" for all, and if there is no pattern."""
    if evidence.wrong.all():
        return ""
    return next((f", exactly {words}" for words, mask in _patterns(evidence)
                 if np.array_equal(np.broadcast_to(mask, evidence.wrong.shape), evidence.wrong)), "")


def _patterns(evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    wrong = evidence.wrong
    for name, array in evidence.clues.known.items():
        if array.shape == wrong.shape:
            for sign, mask in (("below 0", array < 0), ("above 0", array > 0), ("0", array == 0)):
                yield f"where {name} is {sign}", mask
    yield from _by_label(evidence)
    yield "where they should be 0", evidence.expected == 0
    yield "where they should not be 0", evidence.expected != 0
    for axis, word in ((0, "row"), (1, "channel")):
        if wrong.ndim > axis and wrong.shape[axis] > 1:
            others = tuple(i for i in range(wrong.ndim) if i != axis)
            lines = wrong.any(axis=others)
            mask = np.expand_dims(lines, others)
            yield f"those of {_listed(word, np.flatnonzero(lines))}", mask


def _by_label(evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """The rows of one label, or the one place of a row that its label names."""
    wrong, scene = evidence.wrong, evidence.scene
    for i, value in enumerate(scene.values):
        if scene.wanted[i] or not wrong.ndim or value.size != len(wrong):
            continue
        labels = value.reshape(-1, *[1] * (wrong.ndim - 1))
        for label in np.unique(value):
            yield f"in the rows where bottom[{i}].data is {label:g}", labels == label
        if wrong.ndim == 2:
            yield f"at the class that bottom[{i}].data names", np.arange(wrong.shape[1]) == labels
            yield f"at the classes that bottom[{i}].data does not name", np.arange(wrong.shape[1]) != labels


def _listed(word: str, numbers: np.ndarray) -> str:
    return f"{word}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers[:6]))}{', …' * (len(numbers) > 6)}"


def _at_border(evidence: Evidence) -> bool:
    """Whether only the first and the last rows and columns of planes are wrong."""
    wrong = evidence.wrong
    if wrong.ndim != 4 or min(wrong.shape[2:]) < 3 or evidence.spot.kind == "param":
        return False
    return not wrong[:, :, 1:-1, 1:-1].any()
