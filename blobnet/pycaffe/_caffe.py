"""The module caffe._caffe, which in Caffe is the compiled one: its names, from where they are here."""

from blobnet.pycaffe.blob import Blob, BlobVec
from blobnet.pycaffe.glog import init_log, log
from blobnet.pycaffe.layer import Layer
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
from blobnet.pycaffe.net import Net
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

__version__ = "1.0.0"  # of Caffe
__all__ = ["NCCL", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "Blob", "BlobVec", "Layer", "NesterovSolver", "Net",
           "RMSPropSolver", "SGDSolver", "Solver", "Timer", "get_solver", "has_nccl", "init_log", "layer_type_list",
           "log", "set_device", "set_mode_cpu", "set_mode_gpu", "set_multiprocess", "set_random_seed",
           "set_solver_count", "set_solver_rank", "solver_count", "solver_rank"]
