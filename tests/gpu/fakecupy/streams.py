"""Streams, the events on them, and the memory that work on them gets."""

from __future__ import annotations

import contextlib
import threading
from types import SimpleNamespace

import numpy as np

from fakecupy import devices
from fakecupy.counting import Refused, thread, wait
from fakecupy.graphs import Capture, Graph


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
    """A place in the work of a stream. It knows the copies from pinned memory that the host has not waited for.

    Two threads may wait for it at once; the one that is first may write into that memory while the other still looks.
    """

    def __init__(self, block=False, disable_timing=False):
        self._waiting, self._made, self._lock = [], [], threading.Lock()

    def record(self, stream=None):
        self._waiting += stream.queued
        stream.queued = []

    def pass_(self):
        with self._lock:
            self._copy()

    def _copy(self):
        for source, target in self._waiting:
            target[...] = source
            self._made.append((source, source.copy()))
        self._waiting = []

    def synchronize(self):
        with self._lock:
            self._copy()
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

    def total_bytes(self):
        return devices.taken[devices.current()]


@contextlib.contextmanager
def using_allocator(allocator=None):
    before, thread.allocator = thread.allocator, allocator
    try:
        yield
    finally:
        thread.allocator = before


def alloc(size):
    return SimpleNamespace(ptr=1)


def get_default_memory_pool():
    return MemoryPool()
