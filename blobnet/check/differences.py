"""Central differences: what the slope of a weighted sum of outputs really is, beside what backward says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

STEP = 1e-5        # of the differences, in parts of the variable's root mean square
DIRECTION = 1e-3   # standard deviation of random directions: small, so that hardly an element crosses a kink
TOLERANCE = 1e-4   # largest relative error


class Slope(NamedTuple):
    """A slope in one direction: by differences (numeric), by backward (analytic), and how much it changes (bend)."""

    numeric: float
    analytic: float
    bend: float

    def error(self, floor: float) -> float:
        """The difference of both, relative to the larger, or to `floor` if that is larger; inf if it is not finite."""
        error = abs(self.numeric - self.analytic) / max(abs(self.numeric), abs(self.analytic), floor,
                                                        np.finfo(float).tiny)
        return error if np.isfinite(error) else np.inf

    @property
    def may_be_kink(self) -> bool:
        return self.bend > abs(self.numeric - self.analytic)


class Slopes:
    """The slopes of sum(weights * outputs()) at the point where the variables stand.

    `scales` has the root mean square of each variable, the unit of directions; `steep` the gradients in that unit.
    """

    def __init__(self, outputs: Callable[[], list[np.ndarray]], weights: Sequence[np.ndarray],
                 variables: Sequence[np.ndarray], gradients: Sequence[np.ndarray]):
        self.outputs, self.weights, self.variables, self.gradients = outputs, weights, variables, gradients
        self.start = [variable.copy() for variable in variables]
        self.base = outputs()
        self.scales = [float(np.sqrt(np.square(value).mean())) or 1.0 if value.size else 1.0 for value in self.start]
        self.steep = [scale * gradient for scale, gradient in zip(self.scales, gradients, strict=True)]
        size = np.sqrt(sum(float(np.square(w * y).sum()) for w, y in zip(weights, self.base, strict=True)))
        self.uncertain = np.finfo(float).eps * size / STEP * 10 / TOLERANCE  # by the rounding of the outputs

    def along(self, direction: Sequence[np.ndarray]) -> Slope:
        """The slope along a direction, an array for each variable."""
        numeric = bend = 0.0
        ahead, behind = self._shifted(1, direction), self._shifted(-1, direction)
        for w, plus, middle, minus in zip(self.weights, ahead, self.base, behind, strict=True):
            numeric += float((w * (plus - minus)).sum()) / (2 * STEP)
            bend += float(abs(w * (plus - 2 * middle + minus)).sum()) / STEP
        analytic = sum(float((slope * part).sum()) for slope, part in zip(self.steep, direction, strict=True))
        return Slope(numeric, analytic, bend)

    def _shifted(self, sign: int, direction: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs a small step ahead (1) or behind (-1)."""
        for variable, value, scale, part in zip(self.variables, self.start, self.scales, direction, strict=True):
            variable[...] = value + sign * STEP * scale * part
        return self.outputs()

    def element(self, i: int, index: tuple[int, ...]) -> Slope:
        """The slope by one element of variable i, in units of its scale."""
        direction = [np.zeros(value.shape) for value in self.start]
        direction[i][index] = 1
        return self.along(direction)

    @property
    def element_floor(self) -> float:
        """The floor of errors by one element."""
        return max(1e-3 * max((float(abs(slope).max()) for slope in self.steep if slope.size), default=0.0),
                   self.uncertain)

    @property
    def direction_floor(self) -> float:
        """The floor of errors along a random direction."""
        return max(0.1 * DIRECTION * np.sqrt(sum(float(np.square(slope).sum()) for slope in self.steep)),
                   self.uncertain)

    def restore(self) -> None:
        """Put the variables back to where they stood."""
        for variable, value in zip(self.variables, self.start, strict=True):
            variable[...] = value


def directions(near: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Random directions that do not move what is near a kink."""
    for _ in range(count):
        yield [rng.normal(0, DIRECTION, mask.shape) * ~mask for mask in near]
