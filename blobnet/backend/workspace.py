"""Workspace: memory for passing use, which the layers of a net use one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.backend.devices import Array

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

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let `scratch` take memory from here, in this thread and in the workers that it shares its work with."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextlib.contextmanager
    def lent(self, size: int) -> Iterator[np.ndarray]:
        """A block of at least `size` bytes, with any content; MemoryError, which says how many, if there are none."""
        block = self._take(size)
        try:
            yield block
        finally:
            self._spare[id(block)] = block

    def _take(self, size: int) -> np.ndarray:
        """The smallest block that is large enough; if none is, the largest makes room for a larger one."""
        while True:
            blocks = sorted(self._spare.copy().items(), key=lambda item: item[1].nbytes)
            if not blocks:
                break
            key, block = next((item for item in blocks if item[1].nbytes >= size), blocks[-1])
            if self._spare.pop(key, None) is None:
                continue  # another thread was faster
            if block.nbytes >= size:
                return block
            break
        blocks = block = None  # gone before the larger one is there
        try:
            return np.empty(size, np.uint8)
        except (MemoryError, ValueError, OverflowError):  # the latter two: more than there are addresses
            raise MemoryError(f"{size / 2**30:g} GiB of the workspace, in which the layer computes") from None


_current: ContextVar[Workspace | None] = ContextVar("workspace", default=None)


@contextlib.contextmanager
def scratch(xp: ModuleType, *wanted: Wanted) -> Iterator[list[Array]]:
    """Arrays of the given shapes and dtypes, with any content, for the length of a with block.

    They lie in the workspace of the net that runs; without one they are made for this block alone. On a GPU they come
    from CuPy's own pool, which keeps what was freed. Nothing may keep them, or a view of them, any longer.
    """
    if xp is not np:
        yield [xp.empty(shape, dtype) for shape, dtype in wanted]
        return
    sizes = [-(-prod(shape) * np.dtype(dtype).itemsize // LINE_BYTES) * LINE_BYTES for shape, dtype in wanted]
    with (_current.get() or Workspace()).lent(sum(sizes)) as block:
        arrays, start = [], 0
        for (shape, dtype), size in zip(wanted, sizes):
            arrays.append(np.ndarray(shape, dtype, block, start))
            start += size
        yield arrays
