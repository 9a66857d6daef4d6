"""Plug-ins: Python files that register layer types and solvers of a user."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

from blobnet.errors import DataError
from blobnet.published import copy_hint

PREFIX = "blobnet_plugin_"  # of the names of their modules


def load_plugin(path: str | os.PathLike) -> ModuleType:
    """Run the Python file `path`, whose classes register themselves; DataError if it is missing.

    A file that was loaded before is not run again.
    """
    resolved = Path(path).resolve()
    loaded = sys.modules.get(PREFIX + resolved.stem)
    return loaded if loaded is not None and loaded.__file__ == str(resolved) else run_plugin(path)


def run_plugin(path: str | os.PathLike) -> ModuleType:
    """As `load_plugin`, but a file that was loaded before is run again, as it is now."""
    given, path = path, Path(path).resolve()
    name = PREFIX + path.stem
    if not path.is_file():
        raise DataError(f"plug-in {path}", expected="a Python file", got="nothing" if not path.exists() else "no file",
                        hint=copy_hint(given))
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:  # compiled here: an import would take stale bytecode for a file that was edited within a second
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
