"""Signals during training: Ctrl-C and SIGTERM end it in good order, SIGHUP asks for a snapshot."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

EFFECTS = ("stop", "snapshot", "none")


@contextlib.contextmanager
def handle_signals(stop: Callable[[], object], snapshot: Callable[[], object], sigint: str = "stop",
                   sighup: str = "snapshot", sigterm: str = "stop") -> Iterator[None]:
    """While the block runs, SIGINT, SIGHUP and SIGTERM have these effects, each one of EFFECTS.

    "stop" calls `stop`, such as a solver's request_stop, which lets it end after its iteration; "snapshot" calls
    `snapshot`, such as request_snapshot, which lets it write one and go on; "none" does nothing. Where SIGINT stops, a
    second one raises KeyboardInterrupt as usual; a second SIGTERM, which some programs send, changes nothing. The
    former handlers come back afterwards. Main thread only.
    """
    def stop_once(number, frame):
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        stop()

    effects = {"stop": stop_once, "snapshot": lambda number, frame: snapshot(), "none": lambda number, frame: None}
    handlers = {signal.SIGINT: effects[sigint], signal.SIGTERM: effects[sigterm]}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        handlers[signal.SIGHUP] = effects[sighup]
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
