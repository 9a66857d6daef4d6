"""debug_info: the mean magnitude of every blob, parameter and gradient, as Caffe logs them.

The lines come from functions that take the place of `forward` and `backward` while they are on; a net without them
runs as if this file were not there.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from blobnet.core.blob import Blob
from blobnet.core.building_log import top_names
from blobnet.core.layer import Layer

if TYPE_CHECKING:
    from blobnet.core.net import Net

log = logging.getLogger(__name__)


def set_debug_info(net: Net, on: bool) -> None:
    """Let `net` log what every layer computes in forward and backward, or let it be silent again.

    Quirks: a parameter goes by its name in the forward lines, if it has one, and by its number in the backward lines.
    """
    if on == net.debug_info:
        return
    net.debug_info = on
    for layer in net.layers:
        if on:
            layer.forward = functools.partial(_forward, layer)
            layer.backward = functools.partial(_backward, layer)
        else:
            del layer.forward, layer.backward
    if on:
        net.backward = functools.partial(_backward_all, net)
    else:
        del net.backward


def magnitude(array) -> float:
    """The mean of the absolute values; 0 of no values."""
    return float(abs(array).mean()) if array.size else 0.0


def _forward(layer: Layer, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
    type(layer).forward(layer, bottom, top)
    for name, blob in zip(top_names(layer, top), top, strict=True):
        log.info("    [Forward] Layer %s, top blob %s data: %g", layer.name, name, magnitude(blob.data))
    for i, blob in enumerate(layer.blobs):
        name = layer.param.param[i].name if i < len(layer.param.param) else ""
        log.info("    [Forward] Layer %s, param blob %s data: %g", layer.name, name or i, magnitude(blob.data))


def _backward(layer: Layer, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]) -> None:
    type(layer).backward(layer, top, propagate_down, bottom)
    for name, blob, wanted in zip(layer.param.bottom, bottom, propagate_down, strict=True):
        if wanted:
            log.info("    [Backward] Layer %s, bottom blob %s diff: %g", layer.name, name, magnitude(blob.diff))
    for i, (blob, wanted) in enumerate(zip(layer.blobs, layer.param_propagate_down, strict=True)):
        if wanted:
            log.info("    [Backward] Layer %s, param blob %d diff: %g", layer.name, i, magnitude(blob.diff))


def _backward_all(net: Net, start: str | int | None = None, end: str | int | None = None) -> dict:
    diffs = type(net).backward(net, start, end)
    if start is end is None:
        arrays = [[getattr(parameter.blob, which) for parameter in net.parameters] for which in ("data", "diff")]
        log.info("    [Backward] All net params (data, diff): L1 norm = (%g, %g); L2 norm = (%g, %g)",
                 *(sum(float(abs(array).sum()) for array in kind) for kind in arrays),
                 *(math.sqrt(sum(float((array ** 2).sum()) for array in kind)) for kind in arrays))
    return diffs
