"""A snapshot that a training is to continue from: read, and checked against the net and the solver."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blobnet.core.net import Net
from blobnet.core.weights import read_weight_message
from blobnet.core.weights_hdf5 import layers_with_parameters
from blobnet.errors import SolverError
from blobnet.proto.hdf5_bytes import is_hdf5
from blobnet.solvers.state_files import State, fingerprint, read_state


def load(path: str | os.PathLike, net: Net, history: Sequence, kind: str) -> State:
    """The state in the file `path`, checked against the net and the `history` of a solver of the type `kind`.

    Net and history are not changed. The arrays of the result have the shapes and the dtype of `history`, and its
    `model` is the path of the weights: where the state says, or else beside the state. SolverError for a state of
    another net or solver type; ParseError, ShapeError or DataError for a damaged file.
    """
    path = Path(path)
    if ".caffemodel" in path.suffixes:
        raise SolverError(str(path), expected="a .solverstate", got="weights",
                          hint="to start from weights alone use --weights, or copy_from")
    state = read_state(path)
    if len(state.history) != len(history):
        raise SolverError(str(path), expected=f"{len(history)} history blobs (net {net.name!r}, {kind})",
                          got=len(state.history), hint="use the solver file that wrote it")
    arrays, layers = [], itertools.cycle(parameter.layer.name for parameter in net.parameters)
    for i, (mine, saved, layer) in enumerate(zip(history, state.history, layers)):
        if saved.size != mine.size or _without_ones(saved.shape) != _without_ones(mine.shape):
            raise SolverError(str(path), f"history blob {i} (layer {layer!r})", expected=f"shape {mine.shape}",
                              got=f"shape {saved.shape}", hint="use the solver file that wrote it")
        with np.errstate(over="ignore"):  # a double that is too large for a float becomes inf
            arrays.append(saved.reshape(mine.shape).astype(mine.dtype, copy=False))
    return dataclasses.replace(state, model=_model(path, state, net), history=arrays)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` without the ones in front, which old versions of Caffe add to get four axes."""
    return shape[next((i for i, dim in enumerate(shape) if dim != 1), len(shape)):]


def _model(path: Path, state: State, net: Net) -> str | None:
    """The file of weights that `state`, read from `path`, names; None if it names none.

    SolverError unless it has the fingerprint that the state holds, and parameters for all layers of the net.
    """
    if not state.model:
        return None
    places = [Path(state.model), path.parent / Path(state.model).name]
    files = [place for place in places if os.path.isfile(place)]
    if not files:
        raise SolverError(str(path), f"its weights are not at {state.model!r}, nor at {str(places[1])!r}",
                          hint="put the .caffemodel beside the .solverstate")
    found = next((file for file in files if state.weights in (None, fingerprint(file))), None)
    if found is None:
        names = dict.fromkeys(repr(str(file)) for file in files)
        raise SolverError(str(path), f"the weights in {' and in '.join(names)} are not those it was written with, or "
                          "they are damaged", hint="put the right ones beside it, take the state before (as --resume "
                          "does), or start from weights alone with --weights")
    missing = net.params.keys() - _saved_layers(found, net)
    if missing:
        raise SolverError(str(found), f"no parameters for layer {min(missing)!r}", hint="use the net that was trained")
    return str(found)


def _saved_layers(model: Path, net: Net) -> set[str]:
    """The names of the layers whose parameters the file `model` holds or that share all their parameters."""
    if is_hdf5(model):
        owners = {parameter.layer.name for parameter in net.parameters}
        return layers_with_parameters(model, net.layers) | (net.params.keys() - owners)
    return {layer.name for layer in read_weight_message(model)[0].layer if layer.blobs}
