"""Watching: objects that a net or a solver tells what it does, while it does it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from blobnet.errors import NetError


class Watched:
    """What nets and solvers have in common: they tell their watchers about the events that the class lists in `events`.

    A watcher is any object with methods named after events. Only the methods it has are called, those of several
    watchers in the order in which these began to watch. What a watcher raises leaves the net or solver unchanged. An
    event that nobody watches costs nothing: there is no call. A watcher with a method `begin_watching(watched)` is told
    what it watches before anything else; if that raises, it does not watch. Where the class names a `function_event`,
    a function may watch as well: it is called at that event.

    >>> class Counter(Watched):
    ...     events = ("counted",)
    ...     def count(self):
    ...         self._tell("counted", 5)
    >>> from types import SimpleNamespace
    >>> counter = Counter()
    >>> with counter.watched_by(SimpleNamespace(counted=print)):
    ...     counter.count()
    5
    >>> counter.count()
    """

    events: tuple[str, ...] = ()
    function_event = ""

    def __init__(self) -> None:
        self._watchers: list[object] = []
        self._told: dict[str, tuple[Callable[..., object], ...]] = dict.fromkeys(self.events, ())

    def watch(self, watcher: object) -> None:
        """Tell `watcher` of all events from now on; nothing changes if it watches already.

        NetError if it has no method for any of the events, and is no function that may watch.
        """
        if not any(self._calls(watcher, event) for event in self.events):
            raise NetError(f"watching a {type(self).__name__}", expected=f"methods named {', '.join(self.events)}",
                           got=f"none of these in {type(watcher).__name__}", hint="write at least one of them")
        if not self.is_watched_by(watcher):
            if hasattr(watcher, "begin_watching"):
                watcher.begin_watching(self)
            self._update([*self._watchers, watcher])

    def unwatch(self, watcher: object) -> None:
        """Tell `watcher` nothing more; nothing changes if it does not watch."""
        self._update([other for other in self._watchers if other is not watcher])

    @contextlib.contextmanager
    def watched_by(self, watcher: object) -> Iterator[None]:
        """Tell `watcher` of the events of a with block only."""
        self.watch(watcher)
        try:
            yield
        finally:
            self.unwatch(watcher)

    def is_watched_by(self, watcher: object) -> bool:
        """Whether `watcher` is told of the events."""
        return any(other is watcher for other in self._watchers)

    @property
    def is_watched(self) -> bool:
        """Whether anybody is told of the events."""
        return bool(self._watchers)

    def _tell(self, event: str, *values: object) -> None:
        """Call what watches `event`, with these values."""
        for call in self._told[event]:
            call(*values)

    def _update(self, watchers: list[object]) -> None:
        self._watchers = watchers
        for event in self.events:
            self._told[event] = tuple(call for watcher in watchers for call in self._calls(watcher, event))

    def _calls(self, watcher: object, event: str) -> list[Callable[..., object]]:
        """What `watcher` wants to be called at `event`: one thing, or nothing."""
        if hasattr(watcher, event):
            return [getattr(watcher, event)]
        if event == self.function_event and callable(watcher) and not isinstance(watcher, type):
            return [] if any(hasattr(watcher, other) for other in self.events) else [watcher]
        return []
