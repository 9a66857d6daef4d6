"""Sharing work among the worker threads.

The work is cut into pieces by its size alone, and a piece is computed in the same way whichever thread does it, with
BLAS held to one thread. So the bits of a result do not depend on how many threads there are.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from blobnet.backend.pieces import longest
from blobnet.backend.threads import num_threads, single_threaded_blas, thread_pool

Result = TypeVar("Result")
Item = TypeVar("Item")


def share(body: Callable[..., Result], pieces: Sequence[Any],
          buffers: Callable[[int], AbstractContextManager] | None = None) -> list[Result]:
    """The results of `body(piece)` for every piece, in order; each worker thread takes consecutive pieces.

    With `buffers`, each thread enters `buffers(n)` once, a `scratch` for instance, n the length of the longest piece,
    and calls `body(piece, what that gave)` for its pieces. A body that runs on a worker and calls `share` does so
    alone.
    """
    def run(some: Sequence[Any]) -> list[Result]:
        if buffers is None:
            return [body(piece) for piece in some]
        with buffers(longest(pieces)) as own:
            return [body(piece, own) for piece in some]

    count = len(pieces)
    threads = _threads_for(count)
    with single_threaded_blas():
        if threads == 1:
            return run(pieces) if pieces else []
        edges = [count * i // threads for i in range(threads + 1)]
        runs = _at_once([functools.partial(run, pieces[a:b]) for a, b in zip(edges[:-1], edges[1:])])
    return [result for results in runs for result in results]


def share_in_order(body: Callable[[Item], Result], finish: Callable[[Result], object], items: Sequence[Item]) -> None:
    """Call `finish(body(item))` for every item: the bodies run on the worker threads, the finishes in order.

    This is for sums, which must have one order: no more results wait to be added than there are threads, while `share`
    would keep those of all pieces.
    """
    numbers, turn = iter(range(len(items))), threading.Condition()
    failed: list[int] = []
    done = 0

    def run() -> None:
        nonlocal done
        for i in numbers:  # next() of a range's iterator is atomic
            try:
                result = body(items[i])
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
        _at_once([run] * _threads_for(len(items)))


_worker = threading.local()


def _threads_for(pieces: int) -> int:
    """How many threads share so many pieces; one if this is a worker already."""
    return 1 if pieces < 2 or getattr(_worker, "busy", False) else min(num_threads(), pieces)


def _at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of the calls: this thread makes the first, a worker each of the others."""
    def work(call: Callable[[], Result]) -> Result:
        _worker.busy = True
        return call()

    pool = thread_pool(num_threads())
    futures = [pool.submit(contextvars.copy_context().run, work, call) for call in calls[1:]]
    try:
        first = calls[0]()
    finally:
        rest = [future.exception() for future in futures]  # waits: no worker may outlive the buffers it writes
    for error in rest:
        if error is not None:
            raise error
    return [first, *(future.result() for future in futures)]


def _after_fork() -> None:
    _worker.busy = False  # the thread that forked is no worker of the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
