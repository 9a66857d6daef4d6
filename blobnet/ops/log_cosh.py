"""log cosh(|u| - 1), the smooth distance of codes from -1 and +1, and its slope; linear beyond a threshold."""

from __future__ import annotations

import math

from blobnet.backend import array_module


def binary_costs(u, threshold: float = -1):
    """log cosh g at every element, g = |u| - 1; |g - log 2| where g is above a `threshold` that is above 0.

    >>> import numpy as np; binary_costs(np.array([-1.0, 2.0, 0.0])).round(4)
    array([0.    , 0.4338, 0.4338])
    """
    xp = array_module(u)
    gap = xp.abs(u) - 1
    distance = xp.abs(gap)
    costs = distance + xp.log1p(xp.exp(-2 * distance)) - math.log(2)  # log cosh, without overflow
    return xp.where(gap > threshold, xp.abs(gap - math.log(2)), costs) if threshold > 0 else costs


def log_cosh_slopes(u, threshold: float = -1):
    """tanh(|u| - 1) sign(u), with sign(0) = 1; sign(u) beyond the threshold."""
    xp = array_module(u)
    gap = xp.abs(u) - 1
    slopes = xp.tanh(gap)
    if threshold > 0:
        slopes = xp.where(gap > threshold, 1, slopes)
    return xp.where(u >= 0, slopes, -slopes)
