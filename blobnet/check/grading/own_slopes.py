"""The slopes of a student's own forward, by central differences."""

from __future__ import annotations

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.check.compare import Rules, compare
from blobnet.check.differences import Slopes
from blobnet.check.grading.passes import Spot
from blobnet.check.grading.subject import Subject
from blobnet.check.standalone import Standalone

RULES = Rules(exhaustive=16, directions=3)


def _variable(subject: Subject, spot: Spot) -> tuple[Standalone, np.ndarray]:
    """A new layer of the student's, and the array that the diff belongs to."""
    alone = subject.build()
    return alone, (alone.values if spot.kind == "bottom" else alone.parameters)[spot.number]


def agrees_with_slopes(subject: Subject, spot: Spot, got: np.ndarray) -> bool:
    """Whether the check of gradients passes a diff."""
    alone, variable = _variable(subject, spot)
    if not np.isfinite(got).all():
        return False
    with single_threaded_blas():
        return compare(alone.forward, subject.scene.dy, [variable], [got], RULES, np.random.default_rng(1)).passed


def own_slopes(subject: Subject, spot: Spot, got: np.ndarray) -> np.ndarray:
    """The slope of every element of own forward."""
    alone, variable = _variable(subject, spot)
    slopes = Slopes(alone.forward, subject.scene.dy, [variable], [got])
    result = np.empty(variable.shape)
    with single_threaded_blas():
        for index in np.ndindex(variable.shape):
            result[index] = slopes.element(0, index).numeric / slopes.scales[0]
    slopes.restore()
    return result
