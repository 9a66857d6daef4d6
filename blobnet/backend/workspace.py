"""Workspace: memory for passing use, which the layers of a net use one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.backend.devices import Array, free_memory
from blobnet.backend.held import held

LINE_BYTES = 64  # arrays in one block begin at multiples of this

Wanted = tuple[Sequence[int], Any]  # shape and dtype of an array


class Workspace:
    """Blocks of memory, which `scratch` lends for the length of a with block, and which grow with what is asked for.

    There are as many as were ever lent at the same time, by the worker threads and by calls within calls. Several
    threads may borrow at once.
    """

    def __init__(self) -> None:
        self._spare: dict[int, np.ndarray] = {}  # every single call is atomic, so it needs no lock, which a fork keeps

    @property
    def nbytes(self) -> int:
        """The bytes of all blocks that are not lent just now."""
        return sum(block.nbytes for block in self._spare.copy().values())

    def in_use(self) -> AbstractContextManager[None]:
        """Let `scratch` take memory from here, in this thread and in the workers that it shares its work with."""
        return held(_current, self)

    def take(self, size: int) -> np.ndarray:
        """A block of at least `size` bytes, with any content; MemoryError, which says how many, if there are none.

        It is the smallest that is large enough; if none is, the largest makes room for a larger one.
        """
        while True:
            block = None
            for other in self._spare.copy().values():
                if block is None or (size <= other.nbytes < block.nbytes) or (block.nbytes < min(size, other.nbytes)):
                    block = other
            if block is None:
                break
            if self._spare.pop(id(block), None) is None:
                continue  # another thread was faster
            if block.nbytes >= size:
                return block
            break
        other = block = None  # gone before the larger one is there
        try:
            return np.empty(size, np.uint8)
        except (MemoryError, ValueError, OverflowError):  # the latter two: more than there are addresses
            raise MemoryError(f"{size / 2**30:g} GiB of the workspace, in which the layer computes") from None

    def give_back(self, block: np.ndarray) -> None:
        """Have a block again that was taken."""
        self._spare[id(block)] = block


_current: ContextVar[Workspace | None] = ContextVar("workspace", default=None)


class scratch:
    """Arrays of the given shapes and dtypes, with any content, for the length of a with block.

    They lie in the workspace of the net that runs; without one they are made for this block alone. On a GPU they come
    from CuPy's own pool, which keeps what was freed. Nothing may keep them, or a view of them, any longer.
    """

    __slots__ = ("_block", "_wanted", "_workspace", "_xp")

    def __init__(self, xp: ModuleType, *wanted: Wanted):
        self._xp, self._wanted = xp, wanted
        self._workspace: Workspace | None = None

    def __enter__(self) -> list[Array]:
        if self._xp is not np or not self._wanted:
            return self._of_device()
        starts = [0]
        for shape, dtype in self._wanted:
            lines = -(-prod(shape) * np.dtype(dtype).itemsize // LINE_BYTES)
            starts.append(starts[-1] + lines * LINE_BYTES)
        self._workspace = workspace = _current.get() or Workspace()
        self._block = block = workspace.take(starts[-1])
        return [np.ndarray(shape, dtype, block, start) for (shape, dtype), start in zip(self._wanted, starts)]

    def _of_device(self) -> list[Array]:
        try:
            return [self._xp.empty(shape, dtype) for shape, dtype in self._wanted]
        except MemoryError as error:
            size = sum(prod(shape) * np.dtype(dtype).itemsize for shape, dtype in self._wanted)
            raise MemoryError(f"{size / 2**30:g} GiB of the workspace, in which the layer computes{free_memory(error)}"
                              ) from None

    def __exit__(self, *error: object) -> None:
        if self._workspace is not None:
            self._workspace.give_back(self._block)
