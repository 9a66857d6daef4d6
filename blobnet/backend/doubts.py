"""Doubts: what may be wrong with numbers on a GPU. A kernel notes it there, and the error is raised later.

So nobody waits for the GPU to say that all is well. Whoever shows or keeps results calls `settle` first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import NamedTuple

import numpy as np

from blobnet.backend.devices import Array, current_device, on_device, to_host
from blobnet.backend.held import held

ROWS = 2112  # of a slot, one for each block of a kernel


class Wrong(NamedTuple):
    """The first wrong number that a check found: its place, counted from 0; its value; the passes counted before; and
    whether its own pass is the last of these.
    """

    place: int
    value: float
    passes: int
    counted: bool


Error = Callable[[Wrong], Exception]


class Doubts:
    """The doubts of a net. Each has a slot on the device, (ROWS, 2) of float64: place + 1 and value, by block, or 0.

    All share a state, 2 numbers of float64. state[0] is 0 while all is well. As soon as a doubt is right it is another
    number, which stays until `settle`, and kernels that change parameters leave them as they are:

        if (*state != 0) return;  // const double* state

    state[1] counts the passes whose loss was kept, and so does `passes`, on the host. What is wrong is noted in the
    pass where it first was, and not in those after it. doubts.cu has what kernels need.

    told: is called, if there is one, with what `settle` finds, before the error is made.
    """

    def __init__(self, xp: ModuleType):
        self._xp, self._device = xp, current_device(xp)
        self._state: Array | None = None
        self._slots: dict[Hashable, Array] = {}
        self._errors: dict[Hashable, Error] = {}
        self.passes = 0
        self.told: Callable[[Wrong], object] | None = None

    def in_use(self) -> AbstractContextManager[None]:
        """Let `doubt` note here, in this thread."""
        return held(_current, self)

    @property
    def state(self) -> Array:
        """The state, one array as long as the net lives."""
        if self._state is None:
            self._state = self._xp.zeros(2, np.float64)
        return self._state

    def slot(self, key: Hashable, error: Error) -> Array:
        """The slot of the doubt `key`, one array as long as the net lives; `error` makes what `settle` raises."""
        if key not in self._slots:
            self._slots[key] = self._xp.zeros((ROWS, 2), np.float64)
        self._errors[key] = error
        return self._slots[key]

    def settle(self) -> None:
        """Raise the error of the doubt that was right, the first one; all is well again then. Waits for the device."""
        when = 0 if self._state is None else int(to_host(self._state)[0])
        if not when:
            return
        found = {key: to_host(slot) for key, slot in self._slots.items()}
        self.forget()
        for key, rows in found.items():
            rows = rows[rows[:, 0] > 0]
            if len(rows):
                place, value = rows[rows[:, 0].argmin()]
                wrong = Wrong(int(place) - 1, float(value), when // 2, when % 2 == 0)
                if self.told:
                    self.told(wrong)
                raise self._errors[key](wrong)

    def forget(self) -> None:
        """Let all be well."""
        with on_device(self._device):
            if self._state is not None:
                self._state[:1].fill(0)
            for slot in self._slots.values():
                slot.fill(0)


_current: ContextVar[Doubts | None] = ContextVar("doubts", default=None)


@contextmanager
def doubt(xp: ModuleType, key: Hashable, error: Error) -> Iterator[tuple[Array, Array]]:
    """The state and the slot of a doubt of the net that runs, for a kernel that is started in the block.

    If no net runs, the doubt is settled at the end of the block.
    """
    doubts = _current.get()
    lasting = doubts or Doubts(xp)
    yield lasting.state, lasting.slot(key, error)
    if doubts is None:
        lasting.settle()
