"""Doubts: what may be wrong with values on a GPU, noted there and raised later, so that nobody waits for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from types import ModuleType

import numpy as np

from blobnet.backend.devices import Array, to_host

Error = Callable[[int, float], Exception]  # of the place, counted from 0, and the value that is wrong
MOST = 256  # doubts of a net


class Doubts:
    """The doubts of a net: each has a slot on the device, (place + 1, value) of the first wrong number, or (0, 0)."""

    def __init__(self, xp: ModuleType):
        self._xp = xp
        self._slots: Array | None = None
        self._places: dict[Hashable, int] = {}
        self._errors: dict[int, Error] = {}

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let `current_doubts` be these, in this thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def slot(self, key: Hashable, error: Error) -> Array:
        """The slot, 2 numbers of float64, of the doubt `key`: a kernel writes it once, and not if it is written.

        `error` makes the exception that `settle` raises. The same key has the same slot, for as long as the net lives.
        """
        if self._slots is None:
            self._slots = self._xp.zeros((MOST, 2), np.float64)
        place = self._places.setdefault(key, min(len(self._places), MOST - 1))
        self._errors[place] = error
        return self._slots[place]

    def settle(self) -> None:
        """Raise the error of the first doubt that was right, in the order in which they came; waits for the device."""
        if self._slots is None:
            return
        found = to_host(self._slots)
        for number, error in sorted(self._errors.items()):
            place, value = found[number]
            if place:
                self._slots.fill(0)
                raise error(int(place) - 1, float(value))


_current: ContextVar[Doubts | None] = ContextVar("doubts", default=None)


def current_doubts(xp: ModuleType) -> Doubts:
    """Those of the net that runs, or of nobody: then they must be settled by who asked."""
    return _current.get() or Doubts(xp)
