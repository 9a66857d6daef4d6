"""Signals during training: Ctrl-C ends it in good order, SIGHUP asks for a snapshot."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver


@contextlib.contextmanager
def handle_signals(solver: Solver) -> Iterator[None]:
    """While the block runs, SIGINT lets `solver` stop after its iteration, and SIGHUP lets it write a snapshot.

    A second SIGINT raises KeyboardInterrupt as usual. The former handlers come back afterwards. Main thread only.
    """
    def stop(number, frame):
        signal.signal(number, signal.default_int_handler)
        solver.request_stop()

    handlers = {signal.SIGINT: stop}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        handlers[signal.SIGHUP] = lambda number, frame: solver.request_snapshot()
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
