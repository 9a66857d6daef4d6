"""The module caffe.pycaffe: nets and solvers under the names that scripts import from there."""

from collections import OrderedDict

import numpy as np

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

__all__ = ["NCCL", "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "NesterovSolver", "Net", "OrderedDict",
           "RMSPropSolver", "SGDSolver", "Timer", "np"]

# What pycaffe hangs on Net, under the names it has before.
for _name in ("blobs", "blob_loss_weights", "layer_dict", "params", "inputs", "outputs", "forward", "backward",
              "forward_all", "forward_backward_all", "set_input_arrays", "_batch"):
    globals()[f"_Net_{_name.lstrip('_')}"] = vars(Net)[_name]
