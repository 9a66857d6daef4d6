"""What the gradient check says of a layer with a fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from blobnet.backend import single_threaded_blas, to_host
from blobnet.check.gradient import check_standalone
from blobnet.check.net import RULES
from blobnet.check.net_loss import check_loss
from blobnet.check.results import GradientResult
from blobnet.core.net import Net
from blobnet.explain.fault import Faulty, broken, broken_node
from blobnet.explain.lone import lone_layer
from blobnet.explain.ways import before_splits


def check_fault(net: Net, layer: str, factor: float,
                bottoms: Sequence[np.ndarray] | None = None) -> list[GradientResult]:
    """What the check says of a layer with the fault, and, if `net` computes in float64, of the loss of the whole net.

    The layer is checked at `bottoms`, or at what its bottoms in `net` hold since the last forward. A layer like it is
    built for that. The net keeps its parameters and its step, but its blobs hold the numbers of other passes then.
    """
    node, rng = broken_node(net, layer), np.random.default_rng(0)
    values = [to_host(blob.data) for blob in node.bottoms] if bottoms is None else bottoms
    with single_threaded_blas():
        healthy, note = lone_layer(node, values, rng)
        alone = Faulty(healthy, factor)
        found, names = check_standalone(alone, RULES, rng, note), before_splits(net.layers)
        found = [dataclasses.replace(result, blob=names.get(result.blob, result.blob)) for result in found]
        return found + _check_whole(net, layer, factor, rng)


def _check_whole(net: Net, layer: str, factor: float, rng: np.random.Generator) -> list[GradientResult]:
    if net.dtype != np.float64:
        return []
    step, kept = net.context.step, [(blob, blob.data.copy()) for blobs in net.params.values() for blob in blobs]
    with broken(net, layer, factor):
        found = check_loss(net, rng)
    for blob, values in kept:
        blob.data[...] = values
    net.seek(step)
    return found
