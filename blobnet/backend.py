"""Devices (NumPy, CuPy), the worker threads, and random streams.

The rest of the house sees a device only as `xp`, the array module its arrays belong to.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
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


# Worker threads. Work is cut into pieces by its size alone and every piece is computed alike whoever does it, with BLAS
# held to one thread: so the bits of a result do not depend on how many threads there are.

PARTS = 16  # what is cut finds work for as many threads
LINE = 64   # numbers in whole cache lines, whatever their size


def num_threads() -> int:
    """How many worker threads there are: BLOBNET_NUM_THREADS if set, else the cores this process may use."""
    value = os.environ.get("BLOBNET_NUM_THREADS", "")
    if value.isdigit() and int(value) > 0:
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def thread_pool(threads: int, name: str = "blobnet") -> ThreadPoolExecutor:
    """The pool of this size and name, made when first asked for; a forked process makes its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix=name)


class _SingleThreadedBlas:
    """BLAS at one thread as long as somebody is inside; the last to leave restores what was before the first."""

    def __init__(self):
        self.lock, self.inside = threading.Lock(), threading.local()
        self.users, self.limit = 0, None

    def enter(self) -> None:
        depth = getattr(self.inside, "depth", 0)
        if not depth:
            with self.lock:
                if not self.users:
                    controller = _blas("scipy.linalg" in sys.modules)
                    _let_this_thread_set(controller)
                    self.limit = controller.limit(limits=1, user_api="blas")
                self.users += 1
        self.inside.depth = depth + 1

    def leave(self) -> None:
        self.inside.depth -= 1
        if not self.inside.depth:
            with self.lock:
                self.users -= 1
                if not self.users:
                    self._restore()

    def forked(self) -> None:
        """In the child, only the thread that forked is there, and may be inside."""
        others, self.users = self.users, int(getattr(self.inside, "depth", 0) > 0)
        if others and not self.users:
            self._restore()

    def _restore(self) -> None:
        _let_this_thread_set(_blas("scipy.linalg" in sys.modules))
        self.limit.restore_original_limits()


def _let_this_thread_set(controller: ThreadpoolController) -> None:
    """threadpoolctl 3.8 heeds only the thread that set a limit first; here a lock keeps the threads apart."""
    for library in controller.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


@functools.cache
def _blas(with_scipy: bool) -> ThreadpoolController:
    """All that is loaded by now: SciPy comes, as late as it likes, with a BLAS of its own."""
    return ThreadpoolController()


_single, _worker = _SingleThreadedBlas(), threading.local()


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: the worker threads split the work, and two levels of threads run slower than one.

    How BLAS cuts a product depends on its number of threads, and so do the last bits.
    """
    _single.enter()
    try:
        yield
    finally:
        _single.leave()


def _after_fork() -> None:
    thread_pool.cache_clear()  # its threads stayed with the parent
    _worker.busy = False
    _single.forked()
    _single.lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_single.lock.acquire, after_in_parent=_single.lock.release, after_in_child=_after_fork)


def cut(n: int, most: float, least: float | None = None) -> list[tuple[int, int]]:
    """range(n) in consecutive pieces (start, stop), by n alone: of about `most` items each.

    They become smaller, but by and large not below `least` (half of `most`), where there would be fewer than PARTS;
    and so many that 2, 4, 8 or 16 threads get equal shares. `most` up to 1 means pieces of one item.
    """
    if n < 2 or most <= 1:
        return [(i, i + 1) for i in range(n)]
    parts = max(round(n / most), min(PARTS, int(n / max(1, most / 2 if least is None else least))), 1)
    parts = min(n, PARTS * round(parts / PARTS) if parts > PARTS else 1 << parts.bit_length() - 1)
    step = LINE if n >= 16 * LINE * parts else 1  # long pieces begin at cache lines
    edges = [n * i // parts // step * step for i in range(parts)] + [n]
    return list(zip(edges[:-1], edges[1:], strict=True))


def parallel(body: Callable[[Sequence], object], pieces: Sequence) -> list:
    """Call `body(run)` on runs of consecutive pieces, such as `cut` makes, one run a thread; its results in order.

    The body must do the same for a piece whichever run it stands in: the runs depend on the number of threads, and
    nobody should see it. Inside a worker the body runs directly.
    """
    runs = _runs(len(pieces))
    with single_threaded_blas():
        if runs == 1:
            return [body(pieces)]
        edges = [len(pieces) * i // runs for i in range(runs + 1)]
        return _at_once([functools.partial(body, pieces[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)])


def in_turn(body: Callable, finish: Callable[[object], object], pieces: Sequence) -> None:
    """Call `finish(body(piece))` for every piece: bodies at once on the worker threads, finishes in the pieces' order.

    So a sum over pieces needs no more memory than the threads have results at a time, and has one order.
    """
    numbers, turn, failed = iter(range(len(pieces))), threading.Condition(), []
    done = 0

    def run() -> None:
        nonlocal done
        for i in numbers:  # next() of a range's iterator is atomic
            try:
                result = body(pieces[i])
                with turn:
                    turn.wait_for(lambda: done == i or failed)  # noqa: B023
                    if failed:
                        return
                    finish(result)
                    done += 1
                    turn.notify_all()
            except BaseException:
                with turn:
                    failed.append(i)
                    turn.notify_all()
                raise

    with single_threaded_blas():
        _at_once([run] * _runs(len(pieces)))


def _runs(pieces: int) -> int:
    return 1 if getattr(_worker, "busy", False) else max(1, min(num_threads(), pieces))


def _at_once(calls: Sequence[Callable[[], object]]) -> list:
    """The results of the calls, the first by this thread and each other one by a worker."""
    def work(call: Callable[[], object]):
        _worker.busy = True
        return call()

    futures = [thread_pool(num_threads()).submit(work, call) for call in calls[1:]]
    try:
        first = calls[0]()
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
