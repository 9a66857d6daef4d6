"""L-BFGS: steps towards a minimum by the curvature that the last steps have shown."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from blobnet.solvers.line_search import Point, search

Pair = tuple[np.ndarray, np.ndarray]  # a step s (n,) and how it changed the gradient, y (n,)
TINY = np.finfo(np.float64).eps


def minimize(function: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray, steps: int,
             pairs: list[Pair], memory: int, dtype: np.dtype) -> np.ndarray:
    """The point (n,) that `steps` steps of L-BFGS from `start` (n,) come to; it is never higher than `start`.

    function(point) is the value and the gradient (n,) at a point. `pairs` are those of the last steps, the newest
    first; the new ones are put in, and `memory` are kept. All points and pairs are numbers of `dtype`, in arrays of
    float64: so two calls of ten steps, one from where the other ended, with the pairs that it left, are one of twenty.
    Ends earlier where a step lowers the value by no more than the precision of `dtype`, or none does.
    Nocedal and Wright, Numerical Optimization, 2nd edition, 2006, algorithms 7.4 and 7.5.
    """
    point, (value, gradient) = start, function(start)
    for _ in range(steps):
        found = _step(function, point, value, gradient, pairs, dtype)
        if found is None:  # what the pairs say may have led astray
            found = _step(function, point, value, gradient, [], dtype) if pairs else None
            if found is None:
                break
            pairs.clear()
        after, lower, slopes = found
        _remember(pairs, _rounded(after - point, dtype), _rounded(slopes - gradient, dtype), memory)
        gain, scale = value - lower, max(abs(value), abs(lower), 1)
        point, value, gradient = after, lower, slopes
        if gain <= np.finfo(dtype).eps * scale:
            break
    return point


def direction(gradient: np.ndarray, pairs: list[Pair]) -> np.ndarray:
    """-H gradient (n,), H the inverse curvature by BFGS from the `pairs`, newest first; -gradient if there are none."""
    wanted, shares = -gradient, []
    for step, change in pairs:
        shares.append(step.dot(wanted) / step.dot(change))
        wanted -= shares[-1] * change
    if pairs:
        step, change = pairs[0]
        wanted *= step.dot(change) / change.dot(change)
    for (step, change), share in zip(reversed(pairs), reversed(shares)):
        wanted += (share - change.dot(wanted) / step.dot(change)) * step
    return wanted


def _step(function, point: np.ndarray, value: float, gradient: np.ndarray, pairs: list[Pair],
          dtype: np.dtype) -> tuple[np.ndarray, float, np.ndarray] | None:
    """A lower point, its value and its gradient; None if none is found."""
    way = direction(gradient, pairs)
    slope, length = float(way.dot(gradient)), float(np.linalg.norm(way))
    if not (slope < 0 and math.isfinite(value) and math.isfinite(length)):
        return None

    def at(step: float) -> Point:
        there = _rounded(point + step * way, dtype)
        if not np.isfinite(there).all():
            return Point(step, math.inf, math.nan, gradient)
        found, slopes = function(there)
        return Point(step, found, float(way.dot(slopes)), slopes)

    found = search(at, Point(0.0, value, slope, gradient), 1.0 if pairs else 1 / length)
    return None if found is None else (_rounded(point + found.step * way, dtype), found.value, found.gradient)


def _remember(pairs: list[Pair], step: np.ndarray, change: np.ndarray, memory: int) -> None:
    """Put the pair first, and drop the oldest; one without curvature is not taken."""
    if step.dot(change) > TINY * change.dot(change):
        pairs.insert(0, (step, change))
        del pairs[memory:]


def _rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The nearest numbers of `dtype`, in float64."""
    with np.errstate(over="ignore"):
        return values.astype(dtype).astype(np.float64)
