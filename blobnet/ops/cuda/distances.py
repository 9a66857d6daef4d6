"""Distances of rows: a thread each, and for gradients a thread each number."""

from __future__ import annotations

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch


def squared_distances_to(x: Array, c: Array, out: Array) -> None:
    launch("squared_distances_to", out.size, x, c, out, *out.shape, x.shape[1])


def absolute_distances(x: Array, c: Array, out: Array) -> None:
    launch("absolute_distances", out.size, x, c, out, *out.shape, x.shape[1])


def sums_by_side(x: Array, c: Array, above: Array, below: Array, out: Array) -> None:
    above, below = map(array_module(x).ascontiguousarray, (above, below))
    launch("sums_by_side", out.size, x, c, above, below, out, *above.shape, x.shape[1])
