"""Solvers compute where their nets are, in whichever thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable)


def on_device(method: Method) -> Method:
    """Decorates a method of a solver that makes or uses arrays: they are those of the device of its nets."""
    @functools.wraps(method)
    def placed(self: Any, *args, **kwargs):
        with self.net.context.on_device():
            return method(self, *args, **kwargs)
    return placed  # type: ignore[return-value]
