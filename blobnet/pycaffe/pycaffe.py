"""The module caffe.pycaffe: nets and solvers under the names that scripts import from there."""

from blobnet.pycaffe.modes import NCCL, Timer
from blobnet.pycaffe.net import Net
from blobnet.pycaffe.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
)

__all__ = ["NCCL", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "NesterovSolver", "Net", "RMSPropSolver",
           "SGDSolver", "Timer"]
