"""Cutting work into pieces: by its size alone, so that nothing depends on how many threads there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend.devices import Array, array_module

Pieces = Sequence[slice]

PARTS = 16  # work that is large enough is cut into as many pieces at least, so that as many threads find some
LINE = 64   # items that fill whole cache lines, whatever the size of one
PIECE_BYTES = 1 << 20  # larger pieces leave the cache; smaller ones make the threads wait for each other between calls
LEAST_BYTES = 1 << 20  # for a smaller piece, another thread costs more time than it saves


def cut(n: int, most: float, least: float | None = None) -> list[slice]:
    """Consecutive pieces of range(n), of about `most` items each; where to cut depends on the arguments alone.

    If that makes fewer than PARTS pieces, they become smaller, but hardly smaller than `least` (default: half of
    `most`). Their number lets 2, 4, 8 or 16 threads have equal shares. `most` up to 1 means pieces of one item.
    """
    if n < 2 or most <= 1:
        return [slice(i, i + 1) for i in range(n)]
    parts = max(round(n / most), min(PARTS, int(n / max(1, most / 2 if least is None else least))), 1)
    parts = min(n, PARTS * round(parts / PARTS) if parts > PARTS else 1 << parts.bit_length() - 1)
    step = LINE if n >= 16 * LINE * parts else 1  # long pieces begin at cache lines
    edges = [n * i // parts // step * step for i in range(parts)] + [n]
    return [slice(a, b) for a, b in zip(edges[:-1], edges[1:])]


def cut_array(x: Array, axis: int = 0, most: float | None = None, least: float | None = None) -> list[slice]:
    """Pieces of `x` along `axis`, for `share`: of about `most` bytes, PIECE_BYTES by default, and `least` as for `cut`.

    An array on a GPU, whose threads are not ours, is one piece, and so is one without elements.
    """
    n = x.shape[axis]
    if n < 2 or not x.size or array_module(x) is not np:
        return [slice(0, n)] if n else []
    item, most, least = x.nbytes / n, PIECE_BYTES if most is None else most, LEAST_BYTES if least is None else least
    return cut(n, most / item, least / item)


def longest(pieces: Pieces) -> int:
    """How many items the largest piece has."""
    return max((piece.stop - piece.start for piece in pieces), default=0)
