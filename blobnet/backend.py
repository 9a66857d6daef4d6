"""Devices (NumPy, CuPy), the worker threads, and random streams.

The rest of the house sees a device only as `xp`, the array module its arrays belong to.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
from threadpoolctl import ThreadpoolController

from blobnet.errors import DeviceError


@functools.cache
def _cupy() -> ModuleType | None:
    """CuPy if it is installed and finds a GPU."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy if cupy.cuda.is_available() else None


def gpu_available() -> bool:
    """Whether CuPy is installed and sees at least one GPU."""
    return _cupy() is not None


def device_module(device: str) -> ModuleType:
    """The array module of `device`: "cpu", "gpu" or "gpu:1" (which also selects that GPU); DeviceError otherwise."""
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return np
    if kind != "gpu" or (index and not index.isdigit()):
        raise DeviceError(f"device {device!r}", expected="'cpu', 'gpu' or 'gpu:<number>'", got=repr(device))
    cupy = _cupy()
    if cupy is None:
        raise DeviceError(f"device {device!r}", "no GPU can be used",
                          hint="pip install 'blobnet[gpu]' on a machine that has one, or use the CPU: "
                               "device='cpu', on the command line no --gpu")
    count = cupy.cuda.runtime.getDeviceCount()
    if int(index or 0) >= count:
        raise DeviceError(f"device {device!r}", expected=f"a GPU number below {count}", got=index)
    cupy.cuda.Device(int(index or 0)).use()
    return cupy


def array_module(array: object) -> ModuleType:
    """numpy or cupy, whichever `array` belongs to."""
    return np if isinstance(array, (np.ndarray, np.generic)) or _cupy() is None else _cupy().get_array_module(array)


def to_host(array) -> np.ndarray:
    """`array` as a NumPy array, copied from the GPU if it lives there."""
    return array if isinstance(array, np.ndarray) else array.get() if hasattr(array, "get") else np.asarray(array)


def as_numbers(value: object, xp: ModuleType = np):
    """`value` as an array of `xp`; None if it is none of numbers, such as a text or rows of unlike lengths."""
    try:
        array = xp.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biuf" else None


def whole_limit(dtype: np.dtype) -> int:
    """2^24 for float32, 2^53 for float64: from this number on, not every whole number has a value of its own."""
    return 1 << np.finfo(dtype).nmant + 1


def twin(body: Callable) -> Callable:
    """Let a NumPy kernel be replaced on the GPU by a function of the same signature, registered with `@body.cuda`.

    The first argument decides. Without a twin the one body, written on the array's own module, serves both.
    """
    cuda: list[Callable] = []

    @functools.wraps(body)
    def dispatch(array, *args, **kwargs):
        if cuda and array_module(array) is not np:
            return cuda[0](array, *args, **kwargs)
        return body(array, *args, **kwargs)

    def register(function: Callable) -> Callable:
        cuda.append(function)
        return function

    dispatch.cuda = register
    return dispatch


# Worker threads: large layers split their batch over them; BLAS is held to one thread each meanwhile.

def num_threads() -> int:
    """How many worker threads there are: BLOBNET_NUM_THREADS if set, else the cores this process may use."""
    value = os.environ.get("BLOBNET_NUM_THREADS", "")
    if value.isdigit() and int(value) > 0:
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads(), thread_name_prefix="blobnet")


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


_inside = threading.local()


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: the worker threads split the work, and two levels of threads run slower than one."""
    if getattr(_inside, "blas", False):
        yield
        return
    _inside.blas = True
    try:
        with _blas().limit(limits=1, user_api="blas"):
            yield
    finally:
        _inside.blas = False


def parallel(body: Callable[[int, int], object], n: int, least: int = 1) -> list:
    """Call `body(start, stop)` on contiguous parts of range(n), one a worker thread, and return the results in order.

    No part is smaller than `least` (but the only one). The parts depend on n and the number of threads alone, so sums
    taken over the results in order are repeatable. Inside a worker the body runs directly.
    """
    parts = max(1, min(num_threads(), n // least))
    if parts == 1 or getattr(_inside, "worker", False):
        return [body(0, n)]
    edges = [n * i // parts for i in range(parts + 1)]

    def run(i: int):
        _inside.worker = True
        return body(edges[i], edges[i + 1])

    futures = [_workers().submit(run, i) for i in range(1, parts)]
    try:
        first = body(edges[0], edges[1])
    finally:
        rest = [future.exception() for future in futures]  # waits: no worker may outlive the buffers it writes
    for error in rest:
        if error is not None:
            raise error
    return [first, *(future.result() for future in futures)]


def random_stream(xp: ModuleType, *key: int) -> np.random.Generator:
    """A random generator on `xp` that is a function of the non-negative integers `key`: same key, same numbers."""
    seed = np.random.SeedSequence((len(key), *key))  # its padding with zeros would make (a,) and (a, 0) the same
    if xp is np:
        return np.random.Generator(np.random.SFC64(seed))
    return xp.random.Generator(xp.random.Philox4x3210(int(seed.generate_state(1, np.uint64)[0])))
