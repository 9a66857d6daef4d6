"""Sharing the work on a batch among the worker threads, in chunks that stay in the cache."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from blobnet.backend import array_module, parallel

CHUNK_BYTES = 1 << 19  # larger chunks leave the cache; smaller ones make the threads wait for each other between calls


def share(xp: ModuleType, body: Callable[[int, int], object], n: int) -> list:
    """The results of body(start, stop) on contiguous parts of range(n), one a thread; on a GPU, of body(0, n)."""
    return parallel(body, n) if xp is np else [body(0, n)]


def chunk_length(x) -> int:
    """How many items along the first axis of `x` make a chunk; all of them on a GPU."""
    return max(1, len(x) if array_module(x) is not np else min(len(x), CHUNK_BYTES // max(1, x[:1].nbytes)))
