"""Random numbers that a device computes by itself: the same on every device, and each by its place alone."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from blobnet.backend.devices import Array
from blobnet.backend.pieces import cut
from blobnet.backend.sharing import share
from blobnet.backend.twins import twin

PIECE = 1 << 13  # blocks that a thread draws at a time


class RandomNumbers:
    """The random numbers of `key` in a step: uniform in [0, 1), and no others, since a GPU has no others to give.

    `step` counts from 0; on a GPU it is a whole number in its memory, an array without axes of int64. Every call of
    `random` goes on where the last one ended.
    """

    def __init__(self, xp: ModuleType, step: Array | int, *key: int):
        self._xp, self._step, self._key, self._calls = xp, step, _words(key), 0

    def random(self, size: int | Sequence[int], dtype="float64") -> Array:
        """An array of the shape `size` of float32 or float64."""
        out = self._xp.empty(size, np.dtype(dtype))
        uniform(out, self._key, self._calls, self._step)
        self._calls += 1
        return out


@functools.lru_cache(maxsize=1024)
def _words(key: tuple[int, ...]) -> tuple[int, int]:
    """128 bits for non-negative whole numbers; their count is in, since (a,) and (a, 0) are not the same."""
    first, second = np.random.SeedSequence((len(key), *key)).generate_state(2, np.uint64).tolist()
    return first, second


@twin("blobnet.ops.cuda.random_numbers")
def uniform(out: Array, key: tuple[int, int], call: int, step: Array | int) -> None:
    """out, of any shape, contiguous = the first numbers of np.random.Philox with `key`, counter (0, call, step, 0).

    Paper: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
    """
    flat, each = out.reshape(-1), 32 // out.itemsize  # numbers of a block of four words, which has a counter of its own

    def draw(blocks: slice) -> None:
        counter = np.array([blocks.start, call, int(step), 0], np.uint64)
        random = np.random.Generator(np.random.Philox(counter=counter, key=np.array(key, np.uint64)))
        random.random(dtype=out.dtype.type, out=flat[blocks.start * each:blocks.stop * each])

    share(draw, cut(-(-flat.size // each), PIECE, PIECE))
