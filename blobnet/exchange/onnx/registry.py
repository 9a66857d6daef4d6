"""Which function writes a layer of which type as operators of ONNX."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import TypeVar

from blobnet.core.layer import Layer
from blobnet.errors import NetError
from blobnet.exchange.onnx import families

Exporter = Callable[..., str | list[str]]
Written = TypeVar("Written", bound=Exporter)
OURS = "blobnet."  # begins the names of our own modules
EXPORTERS: dict[str, Exporter] = {}
LEFT_OUT: dict[str, str] = {}


def exports(*types: str) -> Callable[[Written], Written]:
    """Make the function below the one that writes layers of these types, ours included. A later one replaces it.

    It is called with the layer, which was built, with the Part to write into, and with the names of the values of the
    bottoms. It returns the name of the value of the top, or a list with those of several tops. What cannot be said in
    ONNX is a NetError with the reason.

        @exports("Softsign")
        def softsign(layer, part, x):
            return part.add("Softsign", x)
    """
    def register(function: Written) -> Written:
        if not function.__module__.startswith(families.__name__):
            _load()  # before a function of a user, which may be for one of our types
        EXPORTERS.update(dict.fromkeys(types, function))
        return function
    return register


def leaves_out(*types: str, why: str) -> None:
    """Leave layers of these types out, for the reason `why`; losses are left out without this."""
    LEFT_OUT.update(dict.fromkeys(types, why))


def why_left_out(layer: Layer) -> str:
    """The reason why layers of its type are left out, or ""."""
    _load()
    return LEFT_OUT.get(type(layer).__name__, "")


def exporter_of(layer: Layer) -> Exporter:
    """The function for a layer; NetError, with what to do, if there is none."""
    _load()
    cls = type(layer)
    found = EXPORTERS.get(cls.__name__)
    if found is not None and (cls.__module__.startswith(OURS) or not found.__module__.startswith(OURS)):
        return found
    raise NetError(layer.where, f"nothing says what {cls.__name__} is in ONNX",
                   hint=f"a plug-in can: a function with @blobnet.exchange.onnx.exports({cls.__name__!r})")


@functools.cache
def _load() -> None:
    """Import the functions of our own types."""
    for module in pkgutil.iter_modules(families.__path__):
        importlib.import_module(f"{families.__name__}.{module.name}")
