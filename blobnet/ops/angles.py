"""Multiples of angles that are given by their cosines."""

from __future__ import annotations

from blobnet.backend import Array, array_module


def multiplied_angle(c: Array, m: int) -> tuple[Array, Array]:
    """(-1)^j cos(m a) - 2 j, for angles a in [0, pi] with cosines c and j = floor(m a / pi), and its derivative by c.

    It falls all the way from a = 0 to pi. m is 1, 2, 3 or 4. Where sign(0) occurs, on the borders of j, it is 0.
    """
    xp = array_module(c)
    if m == 1:
        return c, xp.ones_like(c)
    if m == 2:
        return 2 * xp.sign(c) * c ** 2 - 1, 4 * xp.sign(c) * c
    if m == 3:
        s = xp.sign(abs(c) - 0.5)
        return s * (4 * c ** 3 - 3 * c) + xp.sign(c) * (1 + s) - 2, s * (12 * c ** 2 - 3)
    s = xp.sign(c) * xp.sign(2 * c ** 2 - 1)
    return s * (8 * c ** 4 - 8 * c ** 2 + 1) + 2 * xp.sign(c) + s - 3, s * (32 * c ** 3 - 16 * c)
