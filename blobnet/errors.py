"""Every exception blobnet raises on purpose, and the close matches their hints are made of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

FEW = 12          # names that a hint lists, should none be near
LESS_MEMORY = "smaller batches (batch_size), images (crop_size) or numbers of outputs take less"
VERY_NEAR = 0.85  # the cutoff of `nearest` where a wrong guess would mislead


class BlobnetError(Exception):
    """The base of all blobnet errors: says where, what was expected against what was got, and what to do.

    >>> str(ShapeError("layer 'ip1' (InnerProduct)", expected="axis in [-2, 2)", got="axis 3", hint="lower axis"))
    "layer 'ip1' (InnerProduct): expected axis in [-2, 2), got axis 3; lower axis"
    """

    def __init__(self, where: str, message: str = "", *, expected: object = None, got: object = None, hint: str = ""):
        self.where, self.expected, self.got, self.hint = where, expected, got, hint
        parts = [message] if message else []
        if expected is not None:
            parts.append(f"expected {expected}")
        if got is not None:
            parts.append(f"got {got}")
        text = ", ".join(parts)
        super().__init__(f"{where}: {text}" + (f"; {hint}" if hint else ""))

    def inside(self, where: str, hint: str = "") -> BlobnetError:
        """Put `where`, such as a layer or a list of files, before the place, and `hint` at the end; return the error.

        An empty `where` leaves the place as it is.

        >>> str(DataError("cat.jpg", "no such file").inside("list.txt:3"))
        'list.txt:3: cat.jpg: no such file'
        """
        text = str(self)
        if where not in text:  # it may have been raised with this place
            self.where, text = f"{where}: {self.where}", f"{where}: {text}"
        if hint:
            self.hint, text = f"{self.hint}; {hint}" if self.hint else hint, f"{text}; {hint}"
        self.args = (text,)
        return self


class ParseError(BlobnetError):
    """A file that should hold a message (prototxt, YAML, .proto, binary) does not; `where` is file:line:column."""


class NetError(BlobnetError):
    """A network that cannot be built or run: unknown types and blobs, wrong arity, cycles, bad states."""


class UnknownLayer(NetError, ValueError):
    """A layer that a net does not have; a ValueError as well, as pycaffe raises it."""


class ShapeError(BlobnetError):
    """Arrays whose shapes do not fit each other or the layer that takes them."""


class DataError(BlobnetError):
    """Data that is missing, truncated, or outside the range a layer can take (labels, images, databases)."""


class MissingFile(DataError, FileNotFoundError, RuntimeError):
    """A file that is not there; an OSError as Python, and a RuntimeError as pycaffe raises it."""


class EstimatorError(BlobnetError, ValueError):
    """A parameter or data that an estimator cannot take; a ValueError as well, as scikit-learn asks for."""


class MissingLibrary(BlobnetError, ImportError):
    """An optional library that a module cannot do without, and that is not there; an ImportError as Python has it."""


class SolverError(BlobnetError):
    """A solver whose settings contradict each other, or a state that does not fit its net."""


class DeviceError(BlobnetError):
    """A device that was asked for and is not there."""


class ProcessError(BlobnetError):
    """Another process, of those that train together, has an error; `where` says which one."""


@contextlib.contextmanager
def within(where: str, hint: str = "") -> Iterator[None]:
    """Let errors of the block be `inside` the place `where`."""
    try:
        yield
    except BlobnetError as error:
        error.inside(where, hint)
        raise


def nearest(name: str, known: Iterable[str], limit: int = 3, cutoff: float = 0.6) -> list[str]:
    """Those of the known names that are nearest to `name`, case apart, and at least so near (1: equal)."""
    import difflib  # here, so that who makes no mistake does not wait for it

    folded = {item.lower(): item for item in sorted(set(known))}
    return [folded[item] for item in difflib.get_close_matches(name.lower(), folded, n=limit, cutoff=cutoff)]


def did_you_mean(names: Iterable[str]) -> str:
    """A hint that asks for these names, "" for none."""
    text = " or ".join(map(repr, names))
    return f"did you mean {text}?" if text else ""


def close_matches(name: str, known: Iterable[str], limit: int = 3) -> str:
    """A hint naming the known names nearest to `name`, case apart; all of them when they are few, "" for none.

    >>> close_matches("Convolutoin", ["Convolution", "Deconvolution", "ReLU", "LRN", "Split", "Slice"])
    "did you mean 'Convolution' or 'Deconvolution'?"
    """
    known = sorted(set(known))
    found = nearest(name, known, limit)
    return did_you_mean(found) or ("known: " + ", ".join(known) if 0 < len(known) <= FEW else "")
