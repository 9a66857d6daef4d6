"""Libraries that some modules need, and that are not installed with blobnet."""

from __future__ import annotations

import importlib
from types import ModuleType

from blobnet.errors import MissingLibrary


def require_library(module: str, where: str, need: str, package: str, otherwise: str = "") -> ModuleType:
    """The `module`, imported now; MissingLibrary if that cannot be.

    where, need: who needs it, as the error has it: "TensorBoard", "event files need tensorboardX"; package: what pip
    installs, an extra of blobnet's or a package; otherwise: what does without it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibrary(where, f"{need} ({error})",
                             hint=f"pip install {package}" + f", or {otherwise}" * bool(otherwise)) from error
