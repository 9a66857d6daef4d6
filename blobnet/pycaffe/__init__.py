"""The Python interface of Caffe 1.0 over blobnet's core: after blobnet.install_as_caffe() this is `import caffe`."""

from blobnet.core.context import TEST, TRAIN
from blobnet.pycaffe import io, proto
from blobnet.pycaffe._caffe import (
    NCCL,
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    Blob,
    Layer,
    NesterovSolver,
    Net,
    RMSPropSolver,
    SGDSolver,
    Timer,
    get_solver,
    has_nccl,
    init_log,
    layer_type_list,
    log,
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
from blobnet.pycaffe._caffe import __version__ as __version__
from blobnet.pycaffe.classifier import Classifier
from blobnet.pycaffe.detector import Detector
from blobnet.pycaffe.net_spec import NetSpec, layers, params, to_proto

__all__ = ["NCCL", "TEST", "TRAIN", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "Blob", "Classifier", "Detector",
           "Layer", "NesterovSolver", "Net", "NetSpec", "RMSPropSolver", "SGDSolver", "Timer", "get_solver", "has_nccl",
           "init_log", "io", "layer_type_list", "layers", "log", "params", "proto", "set_device", "set_mode_cpu",
           "set_mode_gpu", "set_multiprocess", "set_random_seed", "set_solver_count", "set_solver_rank",
           "solver_count", "solver_rank", "to_proto"]
