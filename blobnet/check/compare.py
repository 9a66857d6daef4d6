"""Gradients compared with central differences, element by element or along random directions."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from blobnet.check.differences import TOLERANCE, Slope, Slopes, directions
from blobnet.check.locate import say_where, suspects, worst_element


@dataclasses.dataclass(frozen=True)
class Rules:
    """How to check: blobs of at most `exhaustive` elements element by element, others along `directions` random
    directions; elements within `kink_range` of a number in `kinks` are left out."""

    exhaustive: int = 256
    directions: int = 5
    tolerance: float = TOLERANCE
    kinks: Sequence[float] = ()
    kink_range: float = 0.01

    def near_kinks(self, value: np.ndarray) -> np.ndarray:
        """A mask of the elements to leave out."""
        return np.any([np.zeros(value.shape), *(abs(value - kink) <= self.kink_range for kink in self.kinks)], axis=0)


class Comparison(NamedTuple):
    """How gradients compare with differences; the fields are those of GradientResult."""

    checked: int
    skipped: int
    worst_relative_error: float
    passed: bool
    note: str


def compare(outputs: Callable[[], list[np.ndarray]], weights: Sequence[np.ndarray], variables: Sequence[np.ndarray],
            gradients: Sequence[np.ndarray], rules: Rules, rng: np.random.Generator, note: str = "",
            names: Sequence[str] = ("",)) -> Comparison:
    """Compare the `gradients` of sum(weights * outputs()) with differences, changing `variables` in place meanwhile.

    An error is relative to the larger of the two numbers, or to a floor if both are smaller: a small part of the whole
    gradient, or what rounding makes uncertain. The check fails too if more than half of the points turn out to be
    kinks, because then the outputs jump. The note begins with `note` and ends with the place of what is wrong;
    `names` are the names of the variables there.
    """
    slopes = Slopes(outputs, weights, variables, gradients)
    near = [rules.near_kinks(value) for value in slopes.start]
    count = sum(value.size for value in slopes.start)
    if count <= rules.exhaustive:
        tally = _compare_elements(slopes, near, rules.tolerance, names)
    else:
        tally = _compare_directions(slopes, near, rules, rng, names)
        note = "; ".join(filter(None, [note, f"random directions of {count} elements"]))
    slopes.restore()
    passed = tally.worst <= rules.tolerance and tally.kinks <= max(tally.checked, 1)
    return Comparison(tally.checked, tally.left_out + tally.kinks, tally.worst, passed,
                      "; ".join(filter(None, [note, tally.place])))


@dataclasses.dataclass
class _Tally:
    """What was counted: points compared, kinks met, elements left out near declared kinks, and the worst error."""

    left_out: int = 0
    checked: int = 0
    kinks: int = 0
    wrong: int = 0
    worst: float = 0.0
    place: str = ""

    def add(self, slope: Slope, floor: float, tolerance: float) -> bool:
        """Count a slope; whether it is wrong."""
        error = slope.error(floor)
        if error > tolerance and slope.may_be_kink:
            self.kinks += 1
            return False
        self.checked += 1
        self.worst = max(self.worst, error)
        self.wrong += error > tolerance
        return error > tolerance


def _compare_elements(slopes: Slopes, near: Sequence[np.ndarray], tolerance: float, names: Sequence[str]) -> _Tally:
    tally, floor, first = _Tally(left_out=sum(int(mask.sum()) for mask in near)), slopes.element_floor, ""
    for i, mask in enumerate(near):
        for index in map(tuple, np.argwhere(~mask)):
            slope = slopes.element(i, index)
            if tally.add(slope, floor, tolerance) and not first:
                first = say_where(slopes, i, index, slope, names)
    if first:
        tally.place = f"{first}; {tally.wrong} of {tally.checked} are wrong"
    return tally


def _compare_directions(slopes: Slopes, near: Sequence[np.ndarray], rules: Rules, rng: np.random.Generator,
                        names: Sequence[str]) -> _Tally:
    tally, floor, misses, again = _Tally(), slopes.direction_floor, [], copy.deepcopy(rng)
    for direction in directions(near, rules.directions, rng):
        slope = slopes.along(direction)
        tally.add(slope, floor, rules.tolerance)
        misses.append(slope.numeric - slope.analytic)
    if tally.wrong:
        element = worst_element(slopes, suspects(slopes, misses, directions(near, rules.directions, again)),
                                 rules.tolerance, names)
        tally.place = f"{tally.wrong} of {tally.checked} directions are wrong; {element}"
    return tally
