"""Nets that read vectors from Input layers: a whole training set as one batch, weights from its principal axes."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.errors import NetError, close_matches
from blobnet.hashing.principal_components import principal_components
from blobnet.solvers.solver import Solver


def fill_inputs(net: Net, **values: np.ndarray) -> None:
    """Make the arrays `values` the net's input of these names, in every forward from now on; NetError for others."""
    for name, value in values.items():
        if name not in net.inputs:
            raise NetError(f"net {net.name!r}", f"no input {name!r}", hint=close_matches(name, net.inputs))
        net.blobs[name].reshape(value.shape)
        net.blobs[name].data[...] = net.xp.asarray(value)


def values_of(net: Net, blob: str, data: np.ndarray, piece: int = 10000, name: str = "data") -> np.ndarray:
    """The rows of `blob` (N, K) that the net makes of data (N, D) in its input `name`, `piece` rows at a time.

    Only the layers up to the one that makes the blob run. The input keeps the last piece.
    """
    maker = maker_of(net, blob)
    rows = []
    for start in range(0, len(data), piece):
        fill_inputs(net, **{name: data[start:start + piece]})
        net.forward(end=maker)
        rows.append(np.array(to_host(net.blobs[blob].data)))
    return np.concatenate(rows)


def maker_of(net: Net, blob: str) -> str:
    """The name of the layer that makes (or last changes) `blob`; NetError if there is none."""
    name = next((layer.name for layer in reversed(net.layers) if blob in layer.param.top), None)
    if name is None:
        raise NetError(f"net {net.name!r}", f"no blob {blob!r}", hint=close_matches(blob, net.blobs))
    return name


def objective(solver: Solver) -> float:
    """The loss of the solver's net on its inputs as they are, and weight_decay/2 times the squared weights."""
    solver.net.forward()
    decay = sum(parameter.decay_mult * float((parameter.blob.data ** 2).sum()) for parameter in solver.net.parameters)
    return solver.net.loss + solver.param.weight_decay * decay / 2


def start_from_axes(net: Net, blob: str, centre: bool = True) -> None:
    """Give the InnerProduct layers up to `blob` the principal axes of what they read, and biases of 0.

    One layer after the other, on the input that is in the net: a layer of K outputs takes the K first eigenvectors of
    the covariance of its bottom, or with `centre` False of its mean products. NetError without such a blob, ShapeError
    for a layer of more outputs than inputs or rows but one.
    """
    previous, last = None, maker_of(net, blob)
    for layer in net.layers:
        if layer.type == "InnerProduct":
            net.forward(start=previous, end=layer.name)  # its bottom; what it makes of it is made again
            bottom = to_host(net.blobs[layer.param.bottom[0]].data)
            weight, *biases = layer.blobs
            found = principal_components(bottom.reshape(len(bottom), -1), len(weight.data), centre)
            weight.data[...] = net.xp.asarray(found.directions.T)
            for bias in biases:
                bias.data.fill(0)
            previous = layer.name
        if layer.name == last:
            break
