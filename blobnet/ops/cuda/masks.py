"""Sums over a part of an array, without asking how many numbers that are."""

from __future__ import annotations

from blobnet.backend import Array, array_module


def sum_where(values: Array, mask: Array) -> Array:
    return array_module(values).where(mask, values, 0).sum()
