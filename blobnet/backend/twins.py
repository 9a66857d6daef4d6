"""Twins: what a kernel of NumPy is on a GPU."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Generic, TypeVar

import numpy as np

from blobnet.backend.devices import array_module

Kernel = TypeVar("Kernel", bound=Callable)


class Twin(Generic[Kernel]):
    """A function or class of NumPy that has a twin of the same signature for the GPU.

    The first argument, an array, a tuple that begins with one, or an array module, decides which of them is called.
    `body` is NumPy's, `cuda` the other, which is imported when it is first asked for.
    """

    def __init__(self, body: Kernel, home: str):
        functools.update_wrapper(self, body)
        self.body, self.home = body, home

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else np
        if isinstance(first, tuple):
            first = first[0]
        on_host = first is np if isinstance(first, ModuleType) else array_module(first) is np
        return (self.body if on_host else self.cuda)(*args, **kwargs)

    @functools.cached_property
    def cuda(self) -> Callable:
        """The twin for the GPU."""
        return getattr(importlib.import_module(self.home), self.body.__name__)


def twin(home: str) -> Callable[[Kernel], Twin[Kernel]]:
    """Decorates a kernel whose twin, of the same name, is in the module `home`."""
    return lambda body: Twin(body, home)
