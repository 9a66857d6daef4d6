"""What the gradient check says of a layer with a fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from blobnet.backend import single_threaded_blas, to_host
from blobnet.check.gradient import check_standalone, stir
from blobnet.check.net import RULES
from blobnet.check.net_loss import check_loss
from blobnet.check.results import PUBLISHED, GradientResult
from blobnet.check.standalone import exact_gradient, read_layer, standalone
from blobnet.core.net import Net
from blobnet.explain.fault import Faulty, broken, broken_node
from blobnet.explain.ways import before_splits


def check_fault(net: Net, layer: str, factor: float,
                bottoms: Sequence[np.ndarray] | None = None) -> list[GradientResult]:
    """What the check says of a layer with the fault, and, if `net` computes in float64, of the loss of the whole net.

    The layer is checked at `bottoms`, or at what its bottoms in `net` hold since the last forward. A layer like it is
    built for that. The net keeps its parameters and its step, but its blobs hold the numbers of other passes then.
    """
    node, rng = broken_node(net, layer), np.random.default_rng(0)
    param = read_layer(node.layer.param)
    note = PUBLISHED if exact_gradient(param, type(node.layer)) else ""
    values = [to_host(blob.data) for blob in node.bottoms] if bottoms is None else bottoms
    with single_threaded_blas():
        built = standalone(param, *values, phase=node.layer.phase, python_layers=net.context.python_layers)
        alone = Faulty(built.layer, built.values, factor)
        alone.layer.reshape(alone.bottom, alone.top)
        alone.parameters = [np.array(to_host(blob.data), np.float64) for blob in node.layer.blobs]
        stir(alone, rng)
        for value, wanted in zip(alone.values, alone.differentiable()):
            if wanted and value.size:  # away from ties and kinks, upwards, as in the check of a net
                value += abs(rng.normal(0, 0.3, value.shape)) * (np.sqrt(np.square(value).mean()) or 1)
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
