"""The terms of a number add up to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.case import Case
from blobnet.check.differences import TOLERANCE, Slopes
from blobnet.check.gradient import learns
from blobnet.check.rules.registry import rule
from blobnet.check.rules.run import Run
from blobnet.check.standalone import Standalone, exact_gradient
from blobnet.core.terms import Place, index_of

SUM = 1e-9  # largest error of a sum, relative to the largest number of its array
ROUNDING = 1e-6  # arrays of which all is smaller may be what is left of numbers of size 1 that cancel


@rule
def terms(case: Case) -> Iterator[str]:
    """The terms of a number are those of forward and backward, and a difference agrees with those of backward."""
    run = _Run(case.build())
    layer = run.alone.layer
    for i, top in enumerate(run.tops):
        for index in _some(top):
            found = layer.terms(Place("top", i, "data", index), run.alone.bottom, run.alone.top)
            yield from _unlike(found.value, top[index], abs(top).max(), f"top {i}", index, "forward has")
    _give(run)
    for kind, i, diff in _diffs(run):
        for index in _some(diff):
            found = layer.terms(Place(kind, i, "diff", index), run.alone.bottom, run.alone.top)
            yield from _unlike(found.value, diff[index], abs(diff).max(), f"{kind} {i}", index, "backward has")
    if "gradient" not in case.exceptions and not exact_gradient(layer.param, type(layer)):
        yield from _against_differences(run)


class _Run(Run):
    """A run in which tops that are no loss have a diff of 0 where others are one."""

    def __init__(self, alone: Standalone):
        super().__init__(alone)
        if any(alone.layer.loss_weights):
            self.top_diffs = [np.full(top.shape, weight) for top, weight in zip(self.tops, alone.layer.loss_weights)]
            for blob in alone.layer.blobs:
                blob.diff.fill(0)
            self.bottom_diffs = alone.backward(self.top_diffs, self.wanted)
            self.param_diffs = [blob.diff.copy() for blob in alone.layer.blobs]


def _diffs(run: Run) -> Iterator[tuple[str, int, np.ndarray]]:
    yield from (("bottom", i, diff) for i, diff in enumerate(run.bottom_diffs) if run.wanted[i])
    yield from (("param", i, diff) for i, diff in enumerate(run.param_diffs) if learns(run.alone.layer, i))


def _some(values: np.ndarray) -> list[tuple[int, ...]]:
    """The places of the largest number and of the middle one, as far as they are finite."""
    if not values.size:
        return []
    flat = dict.fromkeys([int(np.argmax(abs(values))), values.size // 2])
    places = [index_of(i, values.shape) for i in flat]
    return [place for place in places if np.isfinite(values[place])]


def _unlike(got: float, want: float, scale: float, name: str, index: tuple[int, ...], says: str) -> Iterator[str]:
    if not abs(got - want) <= SUM * max(scale, ROUNDING):
        yield f"the terms of {name}{list(index)} add up to {got:.12g}, {says} {want:.12g}"


def _against_differences(run: Run) -> Iterator[str]:
    """Where the slopes by terms are not those of differences; kinks are left out."""
    alone = run.alone
    for kind, i, diff in _diffs(run):
        variable = (alone.values if kind == "bottom" else alone.parameters)[i]
        slopes = Slopes(alone.forward, run.top_diffs, [variable], [diff])
        for index in _some(diff):
            got = _by_terms(alone, Place(kind, i, "diff", index), run)
            slope = slopes.element(0, index)._replace(analytic=got * slopes.scales[0])
            slopes.restore()
            if slope.error(slopes.element_floor) > TOLERANCE and not slope.may_be_kink:
                yield (f"the terms of {kind} {i}{list(index)} add up to {got:.6g}, the differences say "
                       f"{slope.numeric / slopes.scales[0]:.6g}")


def _by_terms(alone: Standalone, place: Place, run: Run) -> float:
    alone.forward()
    _give(run)
    return alone.layer.terms(place, alone.bottom, alone.top).value


def _give(run: Run) -> None:
    """Write the tops' diffs once more: where a bottom shares their memory, backward may have written there."""
    for blob, diff in zip(run.alone.top, run.top_diffs, strict=True):
        blob.diff[...] = diff
