"""The module caffe.pycaffe: nets and solvers under the names that scripts import from there."""

from collections import OrderedDict
from collections.abc import Callable

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


def _Net_get_id_name(func: Callable[[Net, int], list[int]], field: str) -> property:  # noqa: N802
    """A property for Net: the names of the blobs whose numbers func(net, layer number) gives, by layer name.

    They are found once and kept as the attribute `field` of the net.
    """
    def get_id_name(net: Net) -> OrderedDict[str, list[str]]:
        if not hasattr(net, field):
            names = list(net.blobs)
            setattr(net, field, OrderedDict((layer, [names[j] for j in func(net, i)])
                                            for i, layer in enumerate(net._layer_names)))
        return getattr(net, field)

    return property(get_id_name)
