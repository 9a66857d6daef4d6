"""Context variables that have a value for the length of a with block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Value = TypeVar("Value")


@contextmanager
def held(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    """Let the variable be `value`, in this thread and in workers that it shares work with, and then as before."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
