"""Sharing the work on a batch among the worker threads, in pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import array_module, cut, parallel

Pieces = Sequence[tuple[int, int]]

PIECE_BYTES = 1 << 19  # larger pieces leave the cache; smaller ones make the threads wait for each other between calls
LEAST_BYTES = 1 << 16  # another thread costs more than it brings to a smaller one


def share(xp: ModuleType, body: Callable[[Pieces], object], pieces: Pieces) -> list:
    """The results of body(run) on runs of consecutive pieces, one a thread; on a GPU, of body(pieces)."""
    return parallel(body, pieces) if xp is np else [body(pieces)]


def pieces_of(x, axis: int = 0, least: int = LEAST_BYTES) -> Pieces:
    """Where to cut `x` along an axis: by its shape alone, all in one on a GPU."""
    n = x.shape[axis]
    if array_module(x) is not np or n < 2 or not x.size:
        return [(0, n)] if n else []
    item = x.nbytes / n
    return cut(n, PIECE_BYTES / item, least / item)


def longest(pieces: Pieces) -> int:
    """The items of the largest piece."""
    return max((stop - start for start, stop in pieces), default=0)
