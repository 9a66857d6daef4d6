"""Slips of a factor: a sign, a size, something that varies from element to element."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.numbers import named
from blobnet.check.grading.passes import same
from blobnet.check.grading.slips import Slip

LOOSE = 1e-4  # a factor that something small, such as eps, blurs


def sign(evidence: Evidence) -> Explanation | None:
    """The opposite sign everywhere."""
    if evidence.explained_by(-evidence.expected):
        whole = "The number" if evidence.got.size == 1 else "Every element"
        return Explanation(Slip.SIGN, f"{whole} has the right size and the wrong sign. Which sign does the formula "
                           "have there, and how often did it turn on the way?")
    return None


def named_factor(evidence: Evidence) -> Explanation | None:
    """A constant factor that has a name."""
    return _constant(evidence, evidence.rtol, True)


def any_factor(evidence: Evidence) -> Explanation | None:
    """Any constant factor of more than one element, or almost one."""
    return _constant(evidence, evidence.rtol, False) or _constant(evidence, LOOSE, True)


def _constant(evidence: Evidence, rtol: float, must_have_name: bool) -> Explanation | None:
    factor = ratio(evidence.got, evidence.expected, rtol)
    if factor is None or abs(factor - 1) <= rtol:
        return None
    name = named(evidence.scene, abs(factor), max(rtol, 1e-9)) if abs(factor) != 1 else "1"
    if not name and (must_have_name or np.count_nonzero(evidence.expected) < 2):
        return None
    who = f"; {_show(abs(factor))} is here {name}." if name and abs(factor) not in (1, 2, 0.5) else "."
    return Explanation(Slip.FACTOR, f"{_times(factor, evidence, rtol)}{who} {_question(factor, evidence)}")


def ratio(got: np.ndarray, expected: np.ndarray, rtol: float) -> float | None:
    """The number that `expected` is multiplied with to give `got`, if there is one and it is not 0."""
    if not np.isfinite(got).all() or not np.isfinite(expected).all() or not np.any(expected):
        return None
    at = np.unravel_index(np.argmax(abs(expected)), expected.shape)
    factor = float(got[at] / expected[at])
    scale = abs(got).max(initial=0.0)
    return factor if factor and np.all(abs(got - factor * expected) <= rtol * scale) else None


def _times(factor: float, evidence: Evidence, rtol: float) -> str:
    exactly = "exactly" if rtol < LOOSE else "almost exactly"
    whole = "The number" if evidence.got.size == 1 else "Every element"
    turned = " and has the wrong sign" if factor < 0 else ""
    if abs(factor) > 1:
        return f"{whole} is {exactly} {abs(factor):.6g} times too large{turned}"
    return f"{whole} is {exactly} {_show(abs(factor))} of what it should be{turned}"


def _show(factor: float) -> str:
    """A positive number, as 1 / n if it is that."""
    turned = 1 / factor
    return f"1/{round(turned)}" if factor < 1 and abs(turned - round(turned)) < 1e-9 * turned else f"{factor:.6g}"


def _question(factor: float, evidence: Evidence) -> str:
    if abs(factor) > 1:
        return f"What does the formula divide by, or multiply with, that your {evidence.verb} does not?"
    return f"What does your {evidence.verb} divide by, or multiply with, that the formula does not?"


def varying_factor(evidence: Evidence) -> Explanation | None:
    """A factor that is an array of the student's: forgotten, or there once too often."""
    got, expected = evidence.got, evidence.expected
    for name, upstream, array in _arrays(evidence):
        if array.shape != got.shape or np.ptp(array) == 0:
            continue
        slip = Slip.UPSTREAM if upstream else Slip.SLOPE
        if np.any(got) and same(got * array, expected, evidence.rtol):
            return Explanation(slip, f"A factor is missing that {name} in every element. Which factors does the "
                               f"formula have, and which does your {evidence.verb}?")
        if same(got, expected * array, evidence.rtol):
            return Explanation(slip, f"There is a factor too many, which {name} in every element. Where does it come "
                               "in a second time?")
    return None


def _arrays(evidence: Evidence) -> Iterator[tuple[str, bool, np.ndarray]]:
    """(what the factor does, is it the diff of a top, array)."""
    for name, array in evidence.clues.known.items():
        upstream = name.endswith("diff")
        if evidence.spot.of_forward and name.startswith("top"):
            continue
        yield f"is {name}", upstream, array
        if not upstream:
            for made in (1 - array, 1 + array, array * (1 - array), array**2, 1 - array**2, np.sign(array)):
                yield f"depends on {name} alone", False, made  # how, is for the student to find
