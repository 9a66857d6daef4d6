"""What Python and NumPy raise while layers are built and run, as errors that name the layer and its place."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from google.protobuf.message import Message

from blobnet.backend import free_memory
from blobnet.errors import LESS_MEMORY, BlobnetError, NetError, ShapeError
from blobnet.netdef.fields import layer_place

TOO_BIG = re.compile("array is too big|dimensions? exceeded|supported dimension|allowed (dimension|size)")
ARITHMETIC = (OverflowError, ZeroDivisionError, FloatingPointError, RecursionError)


def explain(error: Exception, param: Message, origin: str) -> None:
    """Make `error`, which came out of a layer, say which layer of the file `origin` that is.

    Call it where the error was caught, before it is raised again. A BlobnetError gets the place of the layer added.
    Missing memory, arrays that are too big to address, numbers that options and shapes make too large and divisions by
    0 are raised from here as a BlobnetError. All other exceptions, and those of a Python layer, are faults of a
    program: they stay as they are.
    """
    place = layer_place(param.name, param.type, origin)
    if isinstance(error, BlobnetError):
        error.inside(place)
    elif param.type != "Python":
        where = f"{place}: " * bool(place) + f"layer {param.name!r} ({param.type})"
        if isinstance(error, MemoryError) or isinstance(error, ValueError) and TOO_BIG.search(str(error)):
            raise no_memory(where, error) from error
        if isinstance(error, ARITHMETIC):
            raise NetError(where, f"cannot work with such options and shapes ({type(error).__name__}: {error})",
                           hint="look for a number that is 0 or very large") from error


def no_memory(where: str, error: Exception) -> ShapeError:
    """The error that there is no memory for what is done at the place `where`; `error` may say for how much."""
    words = str(error).rstrip(".")
    return ShapeError(where, "no memory" + f" ({words})" * bool(words) + free_memory(error), hint=LESS_MEMORY)


@contextlib.contextmanager
def explained(param: Message, origin: str) -> Iterator[None]:
    """Let errors of the block say which layer they are of, as `explain` does."""
    try:
        yield
    except Exception as error:
        explain(error, param, origin)
        raise
