"""What the Python layer needs beside its page: finding the user's class, and a list of parameters that can grow."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.errors import NetError, close_matches
from blobnet.published import example_of


class BlobList(list):
    """The parameter blobs of a layer, with pycaffe's `add_blob`."""

    def __init__(self, xp: ModuleType, dtype: np.dtype):
        super().__init__()
        self.xp, self.dtype = xp, dtype

    def add_blob(self, *shape: int) -> None:
        """Append a parameter of this shape, filled with 0."""
        self.append(Blob(shape, self.xp, self.dtype))


class DeviceView:
    """How a class is made and sees its blobs: as they are. A class with another view names it in `blob_view`."""

    def make(self, cls: type, layer: Layer) -> object:
        """An object of the class."""
        return cls(layer.param, layer.context, layer.index) if issubclass(cls, Layer) else cls()

    def blobs(self, blobs: Sequence[Blob]) -> Sequence:
        """What the class is given for bottoms or tops."""
        return blobs

    def params(self, blobs: BlobList) -> Sequence:
        """What stands in its attribute `blobs`."""
        return blobs

    def done(self) -> None:
        """Called after every method of the class."""


def find_class(module: str, name: str, where: str) -> type:
    """The class `name` in `module`, which is looked for in sys.path and then in the current folder.

    NetError if one of them is not there, and from what the module raises when it is imported.
    """
    for field, value in (("module", module), ("layer", name)):
        if not value:
            raise NetError(where, f"no {field} in python_param",
                           hint='write python_param { module: "my_layers" layer: "MyLayer" }')
    found = _import(module, name, where)
    cls = getattr(found, name, None)
    if not isinstance(cls, type):
        known = [key for key, value in vars(found).items() if isinstance(value, type)]
        raise NetError(where, f"no class {name!r} in module {module!r} ({getattr(found, '__file__', 'built in')})",
                       hint=close_matches(name, known) or _provide(module))
    return cls


def _import(module: str, name: str, where: str) -> ModuleType:
    if "\0" in module or not all(module.split(".")):
        raise NetError(where, f"no module can have the name {module!r}", hint='write it as after import: "my_layers"')
    folder = os.getcwd()
    added = [folder] if folder not in sys.path else []
    sys.path += added
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            if error.name == "caffe":
                raise NetError(where, f"module {module!r} imports caffe, which is not there",
                               hint="call blobnet.install_as_caffe() before the net is built") from error
            raise _unusable(module, where, error) from error
        raise NetError(where, f"no module {module!r}, which should have the class {name!r}, in "
                       + ", ".join(map(repr, _searched(folder))) + " or among the installed packages",
                       hint=_provide(module)) from error
    except (Exception, SystemExit) as error:
        raise _unusable(module, where, error) from error
    finally:
        for path in added:
            with contextlib.suppress(ValueError):  # the module may have taken it out
                sys.path.remove(path)


def _searched(current: str) -> list[str]:
    """The folders of sys.path, and the current one, but for those of Python itself."""
    own = tuple({os.path.realpath(prefix) + os.sep for prefix in (sys.prefix, sys.base_prefix)})
    folders = [os.path.abspath(path) for path in [*sys.path, current]]
    return list(dict.fromkeys(path for path in folders if not f"{os.path.realpath(path)}{os.sep}".startswith(own)))


def _provide(module: str) -> str:
    """A hint how Python comes to find a module, which may be in an example."""
    example = example_of(module)
    if example is not None:
        return (f"blobnet's own is in its example {example.name}: give --python-path {example}, or add that to "
                "PYTHONPATH")
    return "give --python-path FOLDER, add its folder to PYTHONPATH, or start there"


def _unusable(module: str, where: str, error: BaseException) -> NetError:
    """The error for a module whose import raised `error`."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
              if "importlib" not in frame.filename and frame.filename != __file__]
    return NetError(where, f"module {module!r} cannot be imported: {type(error).__name__}: {error}"
                    + (f" ({frames[-1]})" if frames else ""))
