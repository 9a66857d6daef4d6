"""The worker threads, and BLAS held to one thread."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import ThreadpoolController


def num_threads() -> int:
    """How many worker threads there are: BLOBNET_NUM_THREADS if set, else the cores this process may use."""
    value = os.environ.get("BLOBNET_NUM_THREADS", "")
    if value.isdigit() and int(value) > 0:
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def thread_pool(threads: int, name: str = "blobnet") -> ThreadPoolExecutor:
    """The pool of this size and name, made when first asked for; a forked process makes its own."""
    from concurrent.futures import ThreadPoolExecutor  # here, so that who runs nothing does not wait for it

    return ThreadPoolExecutor(threads, thread_name_prefix=name)


class _SingleThreadedBlas:
    """Holds BLAS to one thread as long as any thread is inside; the last that leaves restores the number before."""

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
        """A forked process has only the thread that forked; if that is inside, it stays so."""
        others, self.users = self.users, int(getattr(self.inside, "depth", 0) > 0)
        if others and not self.users:
            self._restore()

    def _restore(self) -> None:
        _let_this_thread_set(_blas("scipy.linalg" in sys.modules))
        self.limit.restore_original_limits()


def _let_this_thread_set(controller: ThreadpoolController) -> None:
    """Let threadpoolctl 3.8, which obeys only the thread that set a limit first, obey this one: we have a lock."""
    for library in controller.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


@functools.cache
def _blas(with_scipy: bool) -> ThreadpoolController:
    """Every BLAS that is loaded by now. SciPy, which may be imported later, brings one of its own."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


_single = _SingleThreadedBlas()


@contextlib.contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: the worker threads share the work, and threads of BLAS besides them make it slower.

    How BLAS cuts a product depends on its number of threads, and so do the last bits of the result.
    """
    _single.enter()
    try:
        yield
    finally:
        _single.leave()


def _after_fork() -> None:
    thread_pool.cache_clear()  # its threads stayed with the parent
    _single.forked()
    _single.lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_single.lock.acquire, after_in_parent=_single.lock.release, after_in_child=_after_fork)
