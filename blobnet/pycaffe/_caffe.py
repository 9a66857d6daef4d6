"""The module caffe._caffe, which in Caffe is the compiled one: its names, from where they are here."""

from blobnet.proto.messages import message_class
from blobnet.pycaffe.blob import Blob, BlobVec, RawBlobVec
from blobnet.pycaffe.glog import init_log, log
from blobnet.pycaffe.layer import Layer, LayerVec
from blobnet.pycaffe.modes import (
    NCCL,
    Timer,
    has_nccl,
    layer_type_list,
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_multiprocess,
    set_random_seed,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from blobnet.pycaffe.net import Net, NetVec
from blobnet.pycaffe.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    Solver,
    get_solver,
)
from blobnet.pycaffe.vectors import BoolVec, DtypeVec, IntVec, StringVec

__version__ = "1.0.0"  # of Caffe
__all__ = ["NCCL", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "Blob", "BlobVec", "BoolVec", "DtypeVec", "IntVec",
           "Layer", "LayerVec", "NesterovSolver", "Net", "NetVec", "RMSPropSolver", "RawBlobVec", "SGDSolver", "Solver",
           "StringVec", "Timer", "get_solver", "has_nccl", "init_log", "layer_type_list", "log", "set_device",
           "set_mode_cpu", "set_mode_gpu", "set_multiprocess", "set_random_seed", "set_solver_count", "set_solver_rank",
           "solver_count", "solver_rank"]


def __getattr__(name: str):
    if name in ("LayerParameter", "SolverParameter"):  # asked for anew: plug-ins make new classes
        return message_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
