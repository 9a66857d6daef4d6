"""One thread at a time runs a net."""

from __future__ import annotations

import os
import threading

from blobnet.errors import NetError


class OneThread:
    """A context that only one thread at a time can enter; NetError for a second thread.

    The same thread can enter it again, since a Python layer or a callback may run the net that runs it. In a forked
    process no thread is inside, except perhaps the one that forked.
    """

    __slots__ = ("_lock", "_process", "_where")

    def __init__(self, where: str):
        self._where, self._lock, self._process = where, threading.RLock(), os.getpid()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            if self._process == os.getpid():
                raise NetError(self._where, "runs in another thread already, and both would write into its blobs",
                               hint="give every thread a net of its own; share_with lets them use the same weights")
            self._lock, self._process = threading.RLock(), os.getpid()  # its owner stayed with the parent
            self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()
