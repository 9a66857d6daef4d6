"""Signals during training: Ctrl-C and SIGTERM end it in good order, SIGHUP asks for a snapshot."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

EFFECTS = ("stop", "snapshot", "none")


@contextlib.contextmanager
def handle_signals(solver: Solver, sigint: str = "stop", sighup: str = "snapshot",
                   sigterm: str = "stop") -> Iterator[None]:
    """While the block runs, SIGINT, SIGHUP and SIGTERM have these effects on `solver`, each one of EFFECTS.

    "stop" lets it end after its iteration, "snapshot" lets it write one and go on, "none" does nothing. Where SIGINT
    stops, a second one raises KeyboardInterrupt as usual; a second SIGTERM, which some programs send, changes nothing.
    The former handlers come back afterwards. Main thread only.
    """
    handlers = {signal.SIGINT: _handler(solver, sigint), signal.SIGTERM: _handler(solver, sigterm)}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        handlers[signal.SIGHUP] = _handler(solver, sighup)
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _handler(solver: Solver, effect: str) -> Callable:
    def stop(number, frame):
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        solver.request_stop()

    return {"stop": stop, "snapshot": lambda number, frame: solver.request_snapshot(),
            "none": lambda number, frame: None}[effect]
