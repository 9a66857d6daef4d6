"""Streams, and graphs that are captured from them: operations are recorded, and computed by launch() alone.

Each is recorded with its arguments: numbers as they are, arrays of the device as the memory that they are. A launch
computes it again, into the very arrays that it gave when it was captured. What was computed to know their shapes is
undone at the end of the capture, and new arrays hold NaN then.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from types import FunctionType, SimpleNamespace

import numpy as np

from fakecupy import counting, cublas
from fakecupy.arrays import ndarray, wrap
from fakecupy.counting import Refused, thread, wait

UNRECORDED = {"__init__", "__new__", "__del__", "__reduce__", "__deepcopy__", "_view", "__array__", "__array_ufunc__",
              "__array_function__"}
OPERATIONS = "kernels", "gemms", "DtoD", "memset"  # what counts["replayed"] counts of those in `launch`


class Stream:
    """A queue of work."""

    null = None

    def __init__(self, null=False, non_blocking=False):
        self.non_blocking, self.ptr = non_blocking, id(self)
        self.queued = []  # copies from pinned memory, which are made when an event after them is waited for

    def synchronize(self):
        wait()

    def use(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def wait_event(self, event):
        event.pass_()

    def is_capturing(self):
        return thread.capture is not None

    def begin_capture(self, mode=None):
        if not self.non_blocking:
            raise Refused("a capture that work on the default stream of another thread would break")
        if not isinstance(thread.allocator, MemoryPool):
            raise Refused("a graph in memory that others get as well: a pool of its own is wanted")
        thread.capture = Capture(thread.allocator)

    def end_capture(self):
        found, thread.capture = thread.capture, None
        found.end()
        if found.broken:
            raise RuntimeError("cudaErrorStreamCaptureInvalidated")
        return Graph(found)


class Event:
    """A place in the work of a stream. It knows the copies from pinned memory that the host has not waited for."""

    def __init__(self, block=False, disable_timing=False):
        self._waiting, self._made = [], []

    def record(self, stream=None):
        self._waiting += stream.queued
        stream.queued = []

    def pass_(self):
        for source, target in self._waiting:
            target[...] = source
            self._made.append((source, source.copy()))
        self._waiting = []

    def synchronize(self):
        self.pass_()
        made, self._made = self._made, []
        if not all(np.array_equal(source, values, equal_nan=True) for source, values in made):
            raise Refused("pinned memory was overwritten before the event of its copy was waited for")


class MemoryPool:
    """Memory for those who use its `malloc`."""

    @property
    def malloc(self):
        return self

    def free_all_blocks(self):
        pass


@contextlib.contextmanager
def using_allocator(allocator=None):
    before, thread.allocator = thread.allocator, allocator
    try:
        yield
    finally:
        thread.allocator = before


def alloc(size):
    return SimpleNamespace(ptr=1)


class Capture:
    """What is being recorded: (function, arguments, arrays that it gave)."""

    def __init__(self, pool: MemoryPool):
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


def get_default_memory_pool():
    return MemoryPool()


# The library of cuBLAS, as ctypes finds it.

class _Symbol:
    """A function of the library, which knows nothing of arrays: what it reads and writes is kept by its addresses."""

    def __init__(self, function):
        self.__name__, self._function, self.argtypes = function.__name__, function, None

    def __call__(self, *arguments):
        if len(self.argtypes) != len(arguments):
            raise Refused(f"{self.__name__} takes {len(self.argtypes)} arguments")
        self._function(*arguments)
        return 0


def _product(function, dtype):
    """A product, recorded with the memory it writes."""
    size = np.dtype(dtype).itemsize

    def by_address(out, *arguments):
        function(*arguments)

    def call(*arguments):
        *_, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count = arguments
        length = (count - 1) * stride_c + (n - 1) * ldc + m
        kind = ctypes.c_float if size == 4 else ctypes.c_double
        recorded(by_address)(wrap(np.ctypeslib.as_array((kind * length).from_address(c))), *arguments)
    call.__name__ = function.__name__
    return call


def _nothing(*_):
    pass


library = SimpleNamespace(
    cublasSgemmStridedBatched=_Symbol(_product(cublas.cublasSgemmStridedBatched, np.float32)),
    cublasDgemmStridedBatched=_Symbol(_product(cublas.cublasDgemmStridedBatched, np.float64)),
    cublasSetStream_v2=_Symbol(_nothing), cublasSetWorkspace_v2=_Symbol(_nothing))
_load = ctypes.CDLL


def load(name, *args, **kwargs):
    """ctypes.CDLL once the stand-in was installed."""
    ours = "libcublas" in str(name) and sys.modules.get("cupy") is sys.modules["fakecupy"]
    return library if ours else _load(name, *args, **kwargs)
