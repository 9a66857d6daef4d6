"""The worker threads, and BLAS held to one thread."""

from __future__ import annotations

import functools
import os
import sys
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import LibController


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
    """A context that holds BLAS to one thread while any thread is inside; the last that leaves restores the number."""

    def __init__(self):
        self.lock, self.inside = threading.Lock(), threading.local()
        self.users, self.before = 0, []

    def __enter__(self) -> None:
        depth = getattr(self.inside, "depth", 0)
        if not depth:
            with self.lock:
                if not self.users:
                    self.before = [(library, library.num_threads) for library in _blas("scipy.linalg" in sys.modules)]
                    self._set(1)
                self.users += 1
        self.inside.depth = depth + 1

    def __exit__(self, *error: object) -> None:
        self.inside.depth -= 1
        if not self.inside.depth:
            with self.lock:
                self.users -= 1
                if not self.users:
                    self._set()

    def forked(self) -> None:
        """A forked process has only the thread that forked; if that is inside, it stays so."""
        others, self.users = self.users, int(getattr(self.inside, "depth", 0) > 0)
        if others and not self.users:
            self._set()

    def _set(self, threads: int | None = None) -> None:
        """Give every BLAS that has other than one thread `threads`, by default those that it had before."""
        for library, before in self.before:
            if before != 1:
                clear = getattr(library, "clear_controlling_thread", None)
                if clear is not None:  # of threadpoolctl 3.8, which obeys only the thread that set a limit first
                    clear(force=True)
                library.set_num_threads(threads or before)


@functools.cache
def _blas(with_scipy: bool) -> list[LibController]:
    """Every BLAS that is loaded by now. SciPy, which may be imported later, brings one of its own."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


_single = _SingleThreadedBlas()


def single_threaded_blas() -> AbstractContextManager[None]:
    """Hold BLAS to one thread: the worker threads share the work, and threads of BLAS besides them make it slower.

    How BLAS cuts a product depends on its number of threads, and so do the last bits of the result.
    """
    return _single


def _after_fork() -> None:
    thread_pool.cache_clear()  # its threads stayed with the parent
    _single.forked()
    _single.lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_single.lock.acquire, after_in_parent=_single.lock.release, after_in_child=_after_fork)
