"""Sums at places that may come several times."""

from __future__ import annotations

from blobnet.backend import Array


def scatter_add(target: Array, index: Array, values: Array) -> None:
    import cupyx

    cupyx.scatter_add(target, index, values)
