"""What a GPU would have done: kernels, products, copies, and the waits of the host with the lines that caused them."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from typing import Any

counts: Counter[str] = Counter()
sites: Counter[str] = Counter()    # "file:line" -> waits
wrapped: Counter[str] = Counter()  # "file:line" -> indices out of range, which wrapped silently
_OURS = os.path.dirname(__file__), "numpy"


class Refused(TypeError):
    """What CuPy would not do, or would do in an undefined way."""


class _Thread(threading.local):
    """What is different in each thread."""

    capture: Any = None    # what operations are recorded in for a graph
    allocator: Any = None  # of cupy.cuda.using_allocator


thread = _Thread()


def permitted(what: str, error: type[Exception] = RuntimeError) -> None:
    """Raise the error if operations are being captured, as CUDA does, or CuPy before it."""
    if thread.capture is not None:
        raise error(f"{what}: operation not permitted when stream is capturing")


def reset() -> None:
    """Count from 0 again."""
    for counter in (counts, sites, wrapped):
        counter.clear()


def launch(kernels: int = 1) -> None:
    """Count kernels: what an operation of CuPy starts is a model, one, or more where its source shows more."""
    counts["kernels"] += kernels


def to_device(nbytes: int) -> None:
    """Count a copy from the host."""
    permitted("a copy from the host")
    counts["HtoD"] += 1
    counts["HtoD bytes"] += nbytes


def wait(nbytes: int = 0) -> None:
    """Count a wait of the host, for a copy of so many bytes to it."""
    permitted("a wait")
    counts["waits"] += 1
    counts["DtoH bytes"] += nbytes
    sites[site()] += 1


def site() -> str:
    """Where the stand-in was called: "file:line" of the first frame outside of it and of NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and any(part in frame.f_code.co_filename for part in _OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
