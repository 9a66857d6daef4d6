"""Slips that are functions of the right numbers: turned, moved, squared, without a row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.passes import wrong_elements
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.variants import REFUSED

SINGLE = 1e-6  # what float32 is exact to, and a bit


def not_finite(evidence: Evidence) -> Explanation | None:
    """nan or inf where numbers should be."""
    bad = ~np.isfinite(evidence.got)
    if not bad.any() or not np.isfinite(evidence.expected[bad]).all():
        return None
    return Explanation(Slip.NOT_FINITE, f"{bad.sum()} of {bad.size} elements are nan or inf. Where could your "
                       f"{evidence.verb} divide by 0, take a logarithm of 0, or an exponential of a large number?")


def all_zero(evidence: Evidence) -> Explanation | None:
    """Nothing but zeros."""
    if evidence.got.any():
        return None
    return Explanation(Slip.UNWRITTEN, f"All of it is 0. Does your {evidence.verb} write a result there?")


def transposed(evidence: Evidence) -> Explanation | None:
    """Rows and columns exchanged."""
    got, expected = evidence.got, evidence.expected
    if got.ndim > 1 and got.shape[-1] == got.shape[-2] and evidence.explained_by(expected.swapaxes(-1, -2)):
        return Explanation(Slip.TRANSPOSED, "The numbers are right, with rows and columns exchanged. Which of the "
                           "matrices has to be transposed?")
    return None


def function_of(evidence: Evidence) -> Explanation | None:
    """A function of each right number."""
    got = evidence.got
    with np.errstate(all="ignore"):
        for slip, words, numbers in _functions(evidence.expected):
            if evidence.explained_by(numbers):
                one = "The number is" if got.size == 1 else "Every element is"
                return Explanation(slip, f"{one} {words} what it should be. Which step of the formula does that?")
    return None


def _functions(right: np.ndarray) -> Iterator[tuple[Slip, str, np.ndarray]]:
    yield Slip.ROOT, "the square of", right**2
    yield Slip.ROOT, "the root of", np.sqrt(abs(right))
    yield Slip.ABSOLUTE, "the absolute value of", abs(right)
    yield Slip.FUNCTION, "1 divided by", 1 / right
    yield Slip.FUNCTION, "1 less", 1 - right
    yield Slip.FUNCTION, "the exponential of", np.exp(right)
    yield Slip.FUNCTION, "the logarithm of", np.log(right)


def precision(evidence: Evidence) -> Explanation | None:
    """Right to some digits only."""
    if wrong_elements(evidence.got, evidence.expected, SINGLE).any():
        return None
    return Explanation(Slip.PRECISION, "The first digits are right. Is a small number added or left out, or do some of "
                       "your arrays have a type of their own, with fewer digits than the bottoms?")


def moved(evidence: Evidence) -> Explanation | None:
    """The right numbers, one place further along an axis."""
    for axis in range(evidence.got.ndim - 1, -1, -1):
        got, right = np.moveaxis(evidence.got, axis, 0), np.moveaxis(evidence.expected, axis, 0)
        if len(got) < 3 or np.ptp(right, axis=0).max() == 0:
            continue
        for words, here, there in (("later", got[1:], right[:-1]), ("earlier", got[:-1], right[1:])):
            if np.any(there) and np.allclose(here, there, rtol=0, atol=evidence.rtol * max(1e-3, abs(right).max())):
                return Explanation(Slip.WINDOW, f"The numbers are right, but stand one place {words} along axis "
                                   f"{axis}. Where does the first window begin, and where does an index start?")
    return None


def fewer_rows(evidence: Evidence) -> Explanation | None:
    """A loss that leaves out the first or the last row."""
    scene, rows = evidence.scene, {len(value) for value in evidence.scene.values if value.ndim}
    if evidence.got.size != 1 or evidence.spot.kind != "top" or len(rows) != 1 or (n := rows.pop()) < 2:
        return None
    for word, kept in (("first", slice(1, None)), ("last", slice(0, -1))):
        try:
            value = scene.play(values=[value[kept] for value in scene.values]).top[evidence.spot.number]
        except REFUSED:
            continue
        if any(np.allclose(evidence.got, value * part, rtol=1e-9, atol=0) for part in (1, (n - 1) / n)):
            return Explanation(Slip.ROWS, f"The number is that of a batch without its {word} row. From where to where "
                               "does your loop, or your index, run?")
    return None
