"""blobnet: Caffe networks as they were published, in Python, on NumPy or CuPy."""

from blobnet import layers  # noqa: F401  (registers every layer type)
from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN
from blobnet.core.layer import Layer
from blobnet.core.loss_layer import LossLayer
from blobnet.core.net import Net
from blobnet.core.registry import register
from blobnet.layers.data._base import BatchSource
from blobnet.plugins import load_plugin
from blobnet.solvers import Solver, get_solver, register_solver

__version__ = "0.1.0"
__all__ = ["TEST", "TRAIN", "BatchSource", "Blob", "Layer", "LossLayer", "Net", "Solver", "get_solver",
           "install_as_caffe", "load_plugin", "register", "register_solver"]


def install_as_caffe() -> None:
    """Let `import caffe` give blobnet.pycaffe from now on, for scripts written for Caffe's Python interface."""
    from blobnet.pycaffe.install import install_as_caffe as install  # here, so that others do not wait for it

    install()
