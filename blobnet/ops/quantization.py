"""How far codes are from -1 and +1, and which way pulls them there.

Distances of an element u, all of g = |u| - 1: the absolute value |g|, the smooth log cosh g, and powers of |g|.
"""

from __future__ import annotations

import math

from blobnet.backend import Array, array_module


def binary_slopes(u: Array) -> Array:
    """The slope of | |u| - 1 | at every element, -1 or +1; +1 where it has none, at -1, 0 and 1."""
    xp = array_module(u)
    return xp.where((u >= 1) | ((u <= 0) & (u >= -1)), 1, -1)


def binary_costs(u: Array, threshold: float = -1) -> Array:
    """log cosh g at every element, g = |u| - 1; with a `threshold` above 0, |g - log 2| where g is above it.

    >>> import numpy as np; binary_costs(np.array([-1.0, 2.0, 0.0])).round(4)
    array([0.    , 0.4338, 0.4338])
    """
    xp = array_module(u)
    gap = xp.abs(u) - 1
    distance = xp.abs(gap)
    costs = distance + xp.log1p(xp.exp(-2 * distance)) - math.log(2)  # log cosh, without overflow
    return xp.where(gap > threshold, xp.abs(gap - math.log(2)), costs) if threshold > 0 else costs


def log_cosh_slopes(u: Array, threshold: float = -1) -> Array:
    """The slope of `binary_costs`: tanh(|u| - 1) sign(u), with sign(0) = 1; sign(u) beyond the threshold."""
    xp = array_module(u)
    gap = xp.abs(u) - 1
    slopes = xp.tanh(gap)
    if threshold > 0:
        slopes = xp.where(gap > threshold, 1, slopes)
    return xp.where(u >= 0, slopes, -slopes)


def power_costs(u: Array, power: float) -> Array:
    """| |u| - 1 |^power at every element."""
    xp = array_module(u)
    return xp.abs(xp.abs(u) - 1) ** power


def power_slopes(u: Array, power: float) -> Array:
    """The slope of `power_costs` for a power above 1, with sign(0) = 1 for the sign of u."""
    xp = array_module(u)
    gap = xp.abs(u) - 1
    slopes = power * xp.sign(gap) * xp.abs(gap) ** (power - 1)
    return xp.where(u >= 0, slopes, -slopes)
