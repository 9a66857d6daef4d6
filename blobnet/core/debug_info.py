"""debug_info: the mean magnitude of every blob, parameter and gradient, as Caffe logs them."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from blobnet.core.node import Node
from blobnet.core.parameters import Parameter

log = logging.getLogger(__name__)


def magnitude(array) -> float:
    """The mean of the absolute values; 0 of no values."""
    return float(abs(array).mean()) if array.size else 0.0


class DebugInfo:
    """A watcher that logs what every layer computes, and after backward passes through the whole net its parameters.

    Quirks: a parameter goes by its name in the forward lines, if it has one, and by its number in the backward lines.
    """

    def __init__(self, parameters: Sequence[Parameter]):
        self.parameters = parameters

    def after_forward(self, node: Node) -> None:
        layer = node.layer
        for name, blob in zip(node.top_names, node.tops, strict=True):
            log.info("    [Forward] Layer %s, top blob %s data: %g", layer.name, name, magnitude(blob.data))
        for i, blob in enumerate(layer.blobs):
            name = layer.param.param[i].name if i < len(layer.param.param) else ""
            log.info("    [Forward] Layer %s, param blob %s data: %g", layer.name, name or i, magnitude(blob.data))

    def after_backward(self, node: Node) -> None:
        layer = node.layer
        if not node.needs_backward:
            return
        for name, blob, wanted in zip(node.bottom_names, node.bottoms, node.bottom_needs_backward, strict=True):
            if wanted:
                log.info("    [Backward] Layer %s, bottom blob %s diff: %g", layer.name, name, magnitude(blob.diff))
        for i, (blob, wanted) in enumerate(zip(layer.blobs, layer.param_propagate_down, strict=True)):
            if wanted:
                log.info("    [Backward] Layer %s, param blob %d diff: %g", layer.name, i, magnitude(blob.diff))

    def after_backward_pass(self, whole: bool) -> None:
        if whole:
            arrays = [[getattr(parameter.blob, which) for parameter in self.parameters] for which in ("data", "diff")]
            log.info("    [Backward] All net params (data, diff): L1 norm = (%g, %g); L2 norm = (%g, %g)",
                     *(sum(float(abs(array).sum()) for array in kind) for kind in arrays),
                     *(math.sqrt(sum(float((array ** 2).sum()) for array in kind)) for kind in arrays))
