"""A line search: how far to go along a direction in which a function falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions
STRETCH = 4.0                    # how much farther the next point is while the function still falls steeply
MARGIN = 0.1                     # a new point keeps this share of the interval away from its ends
TRIES = 20


class Point(NamedTuple):
    """A point of the line: how far it is, and there the function, its slope along the line, its gradient (n,)."""

    step: float
    value: float
    slope: float
    gradient: np.ndarray


def search(at: Callable[[float], Point], start: Point, step: float) -> Point | None:
    """A point that meets the strong Wolfe conditions, tried from `step` on; None if no point tried is low enough.

    `start` is the point of step 0, its slope below 0; at(step) makes any other. A point where value or slope is not
    finite counts as too far. If after 20 points none meets both conditions, the lowest that meets the first is taken.
    Nocedal and Wright, Numerical Optimization, 2nd edition, 2006, algorithms 3.5 and 3.6 in one loop.
    """
    low, high = start, None
    for _ in range(TRIES):
        point = at(step)
        if not (math.isfinite(point.value) and math.isfinite(point.slope)) \
                or point.value > start.value + DECREASE * point.step * start.slope or point.value >= low.value:
            high = point
        elif abs(point.slope) <= -CURVATURE * start.slope:
            return point
        else:
            if point.slope * ((math.inf if high is None else high.step) - low.step) >= 0:
                high = low
            low = point
        step = low.step * STRETCH if high is None else _between(low, high)
        if step in (low.step, None if high is None else high.step):
            break  # numbers are not fine enough to go on
    return low if low.step else None


def _between(low: Point, high: Point) -> float:
    """The minimum of the cubic through both ends (there, equation 3.59), or the middle if there is none; inside.

    Near the lower end, if the other is not finite.
    """
    width = high.step - low.step
    share = MARGIN
    if math.isfinite(high.value) and math.isfinite(high.slope):
        share = 0.5
        bend = low.slope + high.slope - 3 * (high.value - low.value) / width
        root = bend * bend - low.slope * high.slope
        if root >= 0:
            root = math.copysign(math.sqrt(root), width)
            below = high.slope - low.slope + 2 * root
            if below:
                share = 1 - (high.slope + root - bend) / below
    return low.step + width * min(max(share, MARGIN), 1 - MARGIN)
