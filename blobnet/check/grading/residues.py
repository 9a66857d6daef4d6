"""Slips of a term: what is missing has a pattern of its own, as a mean has, which is the same for a whole channel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.grading.evidence import Evidence, Explanation
from blobnet.check.grading.slips import Slip

FEWEST = 4  # numbers of a channel or a row: fewer fit any pattern


def missing_term(evidence: Evidence) -> Explanation | None:
    """What is right less what came out: one number a channel or a row, or in proportion to a known array there."""
    missing = evidence.expected - evidence.got
    if not np.isfinite(missing).all() or missing.ndim < 2:
        return _one_number(evidence, missing)
    for axis, word in ((1, "channel"), (0, "row")):
        if missing.size // max(1, missing.shape[axis]) < FEWEST:
            continue
        groups = np.moveaxis(missing, axis, 0).reshape(missing.shape[axis], -1)
        if _fits(groups, [np.ones_like(groups)], evidence):
            return _one_number(evidence, missing) or _of_group(evidence, axis, word)
        for name, array in _alike(evidence):
            parts = np.moveaxis(array, axis, 0).reshape(groups.shape)
            if _fits(groups, [parts], evidence):
                return _in_proportion(evidence, axis, word, name)
            if axis and groups.shape[1] > FEWEST and _fits(groups, [np.ones_like(groups), parts], evidence):
                return _of_both(evidence)
    return None


def _fits(groups: np.ndarray, parts: list[np.ndarray], evidence: Evidence) -> bool:
    """Whether every row of `groups` is a combination of the rows of `parts`."""
    limit = max(evidence.rtol, 1e-9) * 10 * max(abs(evidence.expected).max(), 1e-3)
    for i, row in enumerate(groups):
        columns = np.stack([part[i] for part in parts], axis=1)
        weights = np.linalg.lstsq(columns, row, rcond=None)[0]
        if abs(columns @ weights - row).max() > limit:
            return False
    return True


def _alike(evidence: Evidence) -> Iterator[tuple[str, np.ndarray]]:
    """The known data of the shape of the array, the tops' first."""
    known = evidence.clues.known
    for name in sorted(known, reverse=True):
        if name.endswith("data") and known[name].shape == evidence.got.shape:
            yield name, known[name]


def _one_number(evidence: Evidence, missing: np.ndarray) -> Explanation | None:
    if missing.size < 2 or not np.isfinite(missing).all() or np.ptp(missing) > 1e-9 * abs(evidence.expected).max():
        return None
    return Explanation(Slip.OFFSET, f"Every element is off by the same number, {-missing.flat[0]:.6g}. What is added "
                       "to all of them, or is not?")


def _of_group(evidence: Evidence, axis: int, word: str) -> Explanation:
    if evidence.verb == "forward":
        scene = evidence.scene
        bias = axis == 1 and any(value.size == evidence.got.shape[1] and learns for value, learns in zip(
            scene.parameters[1:], scene.learning[1:]))
        return Explanation(Slip.BIAS if bias else Slip.BATCH_MEAN if axis == 1 else Slip.OFFSET,
                           f"What came out differs from what is right by one number for each {word}. What is the same "
                           f"for all of a {word}, and is not yet taken into account?")
    if axis == 1:
        return Explanation(Slip.BATCH_MEAN, "What came out differs from what is right by one number for each channel, "
                           "the same in the whole batch. Every x is also in the mean of its channel: what reaches x "
                           "through the mean?")
    return Explanation(Slip.SUM, "What came out differs from what is right by one number for each row. What do all "
                       "elements of a row have in common?")


def _in_proportion(evidence: Evidence, axis: int, word: str, name: str) -> Explanation:
    if evidence.verb == "forward":
        return Explanation(Slip.VARIANCE if axis == 1 else Slip.SUM, f"In each {word} all elements are off by one and "
                           f"the same factor. By what is a {word} divided?")
    what = f"In each {word} what is missing grows in proportion to {name}."
    if axis == 1:
        return Explanation(Slip.VARIANCE, f"{what} Every x is also in the variance of its channel: what reaches x "
                           "through the variance?")
    return Explanation(Slip.SUM, f"{what} Every element of a {word} has a part in the others too: what comes back to "
                       "it through them?")


def _of_both(evidence: Evidence) -> Explanation:
    return Explanation(Slip.BATCH_MEAN, "The straight way from top to bottom is right. Two more are missing: every x "
                       "is also in the mean of its channel, and in its variance. What reaches x through these?")
