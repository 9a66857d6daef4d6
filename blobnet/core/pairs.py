"""Pairs: how a loss sees the pairs of rows of a batch."""

from __future__ import annotations

from typing import NamedTuple

from blobnet.backend import Array


class Pairs(NamedTuple):
    """Symmetric arrays (N, N), one number a pair of rows of a batch, on the device of the layer.

    distances: squared distances of the rows; similar: whether the pair belongs together; force: the derivative of the
    loss, without its weight, by the distance of the pair, 0 on the diagonal; above 0 it pulls the two together, below 0
    it pushes them apart. margin: the distance from which on pairs that do not belong together are left alone, None if
    the loss has no such.
    """

    distances: Array
    similar: Array
    force: Array
    margin: float | None
