"""blobnet: Caffe networks as they were published, in Python, on NumPy or CuPy."""

import importlib
from typing import TYPE_CHECKING

from blobnet import layers  # noqa: F401  (lets every layer type be found)
from blobnet.backend import processes
from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN
from blobnet.core.layer import Layer
from blobnet.core.loss_layer import LossLayer
from blobnet.core.net import Net
from blobnet.core.registry import register
from blobnet.plugins import load_plugin

__version__ = "0.2.0"
__all__ = ["TEST", "TRAIN", "BatchSource", "Blob", "Layer", "LossLayer", "Net", "Solver", "get_solver",
           "install_as_caffe", "load_plugin", "processes", "register", "register_solver"]

if TYPE_CHECKING:
    from blobnet.layers.data._base import BatchSource
    from blobnet.solvers import Solver, get_solver, register_solver

# Imported when they are asked for, so that who only runs nets does not wait for them.
_LATER = {"BatchSource": "blobnet.layers.data._base", "Solver": "blobnet.solvers", "get_solver": "blobnet.solvers",
          "register_solver": "blobnet.solvers"}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return value


def install_as_caffe() -> None:
    """Let `import caffe` give blobnet.pycaffe from now on, for scripts written for Caffe's Python interface."""
    from blobnet.pycaffe.install import install_as_caffe as install  # here, so that others do not wait for it

    install()
