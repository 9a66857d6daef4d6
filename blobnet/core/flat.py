"""Flat: one array in which the arrays of several blobs lie, one after the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import Array
from blobnet.core.blob import Blob

UNIT = 256       # numbers: the array of every blob begins at a multiple of them
LINE_BYTES = 64  # and the flat array at a multiple of these


class Flat:
    """The data, or the diffs, of `blobs`: what is done to all of them is done to one array. The gaps in it are 0.

    A blob gets its place when it first allocates its memory, or by `gather`. It leaves it where somebody reshapes it
    to more numbers, or lets it use the memory of another; from then on it is treated by itself.

    which: "data" or "diff"; counts: how many numbers each blob has, and starts: where they begin; size: of the array.
    """

    def __init__(self, blobs: Sequence[Blob], which: str, xp: ModuleType, dtype: np.dtype):
        self.blobs, self.which = list(blobs), which
        self.counts = [blob.count for blob in self.blobs]
        self.starts, self.size = [], 0
        for count in self.counts:
            self.starts.append(self.size)
            self.size += -(-count // UNIT) * UNIT
        self._ground = _Ground(xp, dtype, self.size)
        self._buffers = [self._memory(blob) for blob in self.blobs]
        for buffer, start, count in zip(self._buffers, self.starts, self.counts):
            if buffer.array is None:
                buffer.home = functools.partial(self._ground.place, start, count)

    def gather(self) -> None:
        """Move the arrays of all blobs to their places. MemoryError if there is no memory, with nothing changed."""
        for buffer, start, count in zip(self._buffers, self.starts, self.counts):
            place = self._ground.take(start, count)
            if buffer.array is not None:
                place[...] = buffer.array[:count]
            buffer.array = place  # what it had is free now, before the next one is copied

    def whole(self) -> Array | None:
        """The array, if every blob lies in its place and has the count that it had at first; else None."""
        return None if self._elsewhere() else self._ground.array

    def clear(self) -> None:
        """Set the numbers of all blobs to 0, wherever they lie."""
        for blob in self._elsewhere():
            getattr(blob, self.which).fill(0)
        if self._ground.array is not None:
            self._ground.array.fill(0)

    def views(self, array: Array) -> list[Array]:
        """The part of each blob, in its shape, of another array of this `size`."""
        return [array[start:start + count].reshape(blob.shape)
                for blob, start, count in zip(self.blobs, self.starts, self.counts)]

    def _memory(self, blob: Blob):
        return blob.memory if self.which == "data" else blob.diff_memory

    def _elsewhere(self) -> list[Blob]:
        """The blobs that are not in their places, or not of their counts, or have no memory yet."""
        places = self._ground.places
        return [blob for blob, buffer, start, count in zip(self.blobs, self._buffers, self.starts, self.counts)
                if buffer.array is None or buffer.array is not places.get(start)
                or blob.count != count or self._memory(blob) is not buffer]


class _Ground:
    """The array of a Flat, and its places by their starts. It knows no buffer, so that no circle keeps it alive."""

    def __init__(self, xp: ModuleType, dtype: np.dtype, size: int):
        self.xp, self.dtype, self.size = xp, dtype, size
        self.array: Array | None = None
        self.places: dict[int, Array] = {}

    def take(self, start: int, count: int) -> Array:
        """The place of `count` numbers from `start` on; the first one allocates all of them."""
        if self.array is None:
            self.array = aligned_zeros(self.xp, self.size, self.dtype)
        return self.places.setdefault(start, self.array[start:start + count])

    def place(self, start: int, count: int, wanted: int) -> Array:
        """The same for a buffer that wants so many; zeros of its own if these are more, or there is no memory for all.
        """
        if wanted <= count:
            try:
                return self.take(start, count)
            except (MemoryError, ValueError):  # ValueError: more than there are addresses
                pass
        return self.xp.zeros(wanted, self.dtype)


def aligned_zeros(xp: ModuleType, size: int, dtype: np.dtype) -> Array:
    """Zeros that begin at a multiple of LINE_BYTES, as those of a GPU do anyway; pages of them cost nothing until used.
    """
    if xp is not np:
        return xp.zeros(size, dtype)
    zeros = np.zeros(size + LINE_BYTES // dtype.itemsize, dtype)
    start = -zeros.ctypes.data % LINE_BYTES // dtype.itemsize
    return zeros[start:start + size]
