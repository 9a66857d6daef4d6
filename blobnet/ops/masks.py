"""Sums over a part of an array."""

from __future__ import annotations

from blobnet.backend import Array, twin


@twin("blobnet.ops.cuda.masks")
def sum_where(values: Array, mask: Array) -> Array:
    """The sum of the values where the mask, bool of the same shape, is true."""
    return values[mask].sum()
