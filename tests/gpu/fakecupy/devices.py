"""The two GPUs: which of them a thread computes on, and how much of their memory is taken."""

from __future__ import annotations

import threading

COUNT = 2
TOTAL = 16 << 30
limits = [TOTAL] * COUNT  # bytes that arrays may take; a test may lower them
taken = [0] * COUNT
peak = [0] * COUNT  # the most that was taken at one time
_thread = threading.local()


class OutOfMemoryError(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError."""


def current() -> int:
    """The number of the GPU of this thread: 0 until it selects another."""
    return getattr(_thread, "number", 0)


def select(number: int) -> None:
    """Let this thread compute on another GPU."""
    if not 0 <= number < COUNT:
        raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    _thread.number = number


def require(nbytes: int) -> None:
    """OutOfMemoryError unless so many bytes are free."""
    so_far = taken[current()]
    if so_far + nbytes > limits[current()]:
        raise OutOfMemoryError(f"Out of memory allocating {nbytes:,} bytes (allocated so far: {so_far:,} bytes).")


def take(nbytes: int) -> int:
    """Count the memory of an array as taken; the GPU it lies on."""
    require(nbytes)
    number = current()
    taken[number] += nbytes
    peak[number] = max(peak[number], taken[number])
    return number


def give_back(number: int, nbytes: int) -> None:
    """The memory of an array is free again."""
    taken[number] -= nbytes
