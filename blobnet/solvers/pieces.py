"""A parameter is updated piece by piece, so that all arrays of a piece stay in the CPU's cache; threads share them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import cut, share

PIECE = 1 << 15  # elements that are updated at a time on the CPU


class Pieces:
    """Runs functions over arrays of one device and dtype, piece by piece."""

    def __init__(self, xp: ModuleType, dtype: np.dtype):
        self._xp, self._dtype, self._buffers = xp, dtype, threading.local()

    def run(self, body: Callable, arrays: Sequence, whole: bool = False) -> None:
        """Call `body(scratch, *pieces)` for every piece of `arrays`, which have one size.

        The pieces are flat views of the arrays, and `scratch` is an array of the same length, for passing use. With
        `whole`, and on a GPU, there is one piece. The results are the same with any number of threads.
        """
        flat = [array.reshape(-1) for array in arrays]
        size = flat[0].size

        def part(piece: slice) -> None:
            body(self._scratch(piece.stop - piece.start), *(array[piece] for array in flat))

        share(part, [slice(0, size)] if whole or self._xp is not np else cut(size, PIECE, PIECE))

    def _scratch(self, size: int):
        """An array of this thread, of `size` elements."""
        if getattr(self._buffers, "scratch", None) is None or self._buffers.scratch.size < size:
            self._buffers.scratch = self._xp.empty(size, self._dtype)
        return self._buffers.scratch[:size]
