"""Graphs: operations are recorded while a stream captures, and computed by launch() alone.

Each is recorded with its arguments: numbers as they are, arrays of the device as the memory that they are. A launch
computes it again, into the very arrays that it gave when it was captured. What was computed to know their shapes is
undone at the end of the capture, and new arrays hold NaN then.
"""

from __future__ import annotations

import functools
from types import FunctionType

import numpy as np

from fakecupy import counting
from fakecupy.arrays import ndarray
from fakecupy.counting import thread

UNRECORDED = {"__init__", "__new__", "__del__", "__reduce__", "__deepcopy__", "_view", "__array__", "__array_ufunc__",
              "__array_function__"}
OPERATIONS = "kernels", "gemms", "DtoD", "memset"  # what counts["replayed"] counts of those in `launch`


class Capture:
    """What is being recorded: (function, arguments, arrays that it gave)."""

    def __init__(self, pool):
        self.pool, self.operations, self.busy, self.broken = pool, [], False, False
        self._before: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}  # what memory held, by its place and strides
        self._new: list[np.ndarray] = []
        self._counts = counting.counts.copy()

    def record(self, function, args: tuple, kwargs: dict):
        """Call the function, and keep how."""
        args = tuple(list(value) if isinstance(value, list) else value for value in args)
        known = {id(array._a): array._a for array in arrays_of((*args, *kwargs.values()))}
        for array in known.values():
            if array.flags.writeable:
                self._before.setdefault((array.ctypes.data, array.shape, array.strides), (array, array.copy()))
        self.busy = True
        try:
            given = function(*args, **kwargs)
        except BaseException:
            self.broken = True
            raise
        finally:
            self.busy = False
        found = arrays_of((given,))
        self._new += [array._a for array in found if array._base is None and id(array._a) not in known]
        self.operations.append((function, args, kwargs, found))
        return given

    def end(self) -> None:
        """Let nothing have been computed."""
        for array, values in reversed(self._before.values()):
            array[...] = values
        for array in self._new:
            if array.dtype.kind in "fc":
                array.fill(np.nan)
        counting.counts.clear()
        counting.counts.update(self._counts)


class Graph:
    """What was captured."""

    def __init__(self, captured: Capture):
        self._captured = captured

    def launch(self, stream=None):
        counts = counting.counts
        before = sum(counts[kind] for kind in OPERATIONS)
        for function, args, kwargs, found in self._captured.operations:
            for old, new in zip(found, arrays_of((function(*args, **kwargs),)), strict=True):
                np.copyto(old._a, new._a)
        counts["graph launches"] += 1
        counts["replayed"] += sum(counts[kind] for kind in OPERATIONS) - before


def arrays_of(values) -> list[ndarray]:
    """The arrays among the values, and in the tuples and lists among them."""
    found = []
    for value in values:
        if isinstance(value, ndarray):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += arrays_of(value)
    return found


def recorded(function):
    """The function, which is recorded while a graph is captured, unless another one calls it."""
    @functools.wraps(function)
    def call(*args, **kwargs):
        if thread.capture is None or thread.capture.busy:
            return function(*args, **kwargs)
        return thread.capture.record(function, args, kwargs)
    return call


def record_methods(kind: type) -> None:
    """Let the methods of a class be recorded; not those that make an object, or that NumPy calls."""
    for name, value in [*vars(kind).items()]:
        if isinstance(value, FunctionType) and name not in UNRECORDED:
            setattr(kind, name, recorded(value))
