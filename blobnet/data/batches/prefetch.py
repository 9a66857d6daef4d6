"""Prefetch: batches made ahead of their use by a background thread."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any


class Prefetch:
    """Calls `produce(n, reuse)` for n = 0, 1, 2 … in a thread that stays at most `depth` batches ahead.

    `reuse` is a batch that nobody needs any more, or None. What produce raises is raised by `take`. The thread starts
    with the first `take`; it ends with `close`, when the Prefetch is collected, and when the interpreter exits. A
    forked process does not have it, and starts a thread of its own at the batch that comes next.
    """

    _ready: SimpleQueue    # what was made
    _tickets: SimpleQueue  # what may be made
    _taken: Any            # the batch that the last `take` gave
    _process: int          # the process that started the thread

    def __init__(self, produce: Callable[[int, Any], Any], depth: int):
        self._produce, self._depth = produce, depth
        self._next = 0
        self._stop: weakref.finalize | None = None

    def take(self) -> Any:
        """The next batch, valid until the following call."""
        if self._stop is not None and self._process != os.getpid():
            self._stop.detach()
            self._stop = None
        if self._stop is None:
            self._start()
        batch, error = self._ready.get()
        if error is not None:
            self.close()
            try:
                raise error
            finally:
                del error  # or it would hold this frame, and the frame it
        self._tickets.put(self._taken)
        self._taken = batch
        self._next += 1
        return batch

    def seek(self, n: int) -> None:
        """Let the next `take` return batch `n`, made anew."""
        self.close()
        self._next = n

    def close(self) -> None:
        """End the thread; a later `take` starts another, which tries again if a batch failed."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _start(self) -> None:
        # The thread knows the queues but not this object, which can therefore be collected while it runs. A ticket
        # allows one more batch, and is an old one to write it into. A SimpleQueue may be interrupted by a finalizer.
        self._ready, self._tickets, self._taken = SimpleQueue(), SimpleQueue(), None
        for _ in range(self._depth):
            self._tickets.put(None)
        stopped = threading.Event()
        thread = threading.Thread(target=_run, args=(self._produce, self._next, self._ready, self._tickets, stopped),
                                  name="blobnet-prefetch", daemon=True)
        thread.start()
        self._process = os.getpid()
        self._stop = weakref.finalize(self, _end, thread, self._tickets, stopped)


def _run(produce: Callable, n: int, ready: SimpleQueue, tickets: SimpleQueue, stopped: threading.Event) -> None:
    while True:
        reuse = tickets.get()
        if stopped.is_set():
            return
        try:
            ready.put((produce(n, reuse), None))
        except BaseException as error:  # whatever it is, it belongs to the consumer
            ready.put((None, error))
            return
        n += 1


def _end(thread: threading.Thread, tickets: SimpleQueue, stopped: threading.Event) -> None:
    stopped.set()
    tickets.put(None)
    if thread is not threading.current_thread():  # a collection may happen in any thread
        thread.join(timeout=60)
