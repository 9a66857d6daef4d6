"""Snapshots: a .caffemodel with the weights, and a .solverstate with what the solver remembers.

As HDF5 files, which snapshot_format: HDF5 asks for, their names end in .h5 besides.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.not_finite import all_finite, first_not_finite
from blobnet.core.weights import read_weight_message
from blobnet.core.weights_hdf5 import layers_with_parameters
from blobnet.errors import BlobnetError, SolverError
from blobnet.proto.hdf5 import is_hdf5
from blobnet.solvers.state_files import State, fingerprint, read_state, write_state

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

log = logging.getLogger(__name__)
FORMATS = (".h5", "HDF5"), ("", "binary proto")  # by the numbers of snapshot_format: ends of names, words of the log


def check_destination(solver: Message, where: str) -> None:
    """Make the folder that snapshots go to; SolverError if there can be none."""
    if not solver.snapshot_prefix:
        raise SolverError(where, "no snapshot_prefix", hint="add one, or set snapshot: 0 snapshot_after_train: false")
    folder = os.path.dirname(solver.snapshot_prefix) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SolverError(where, f"cannot write snapshots to the folder {folder!r}: {error.strerror}",
                          hint="change snapshot_prefix") from None


def save(solver: Solver) -> tuple[str, str]:
    """Write the two files of `solver` at its iteration and return their paths.

    The state comes last, so that it never names weights that are not whole, and holds their fingerprint. SolverError
    for numbers that are not finite, unless `allow_nan`.
    """
    if not solver.allow_nan:
        _refuse_not_finite(solver)
    stem = f"{solver.param.snapshot_prefix}_iter_{solver.iter}"
    suffix, kind = FORMATS[solver.param.snapshot_format]
    model, state = f"{stem}.caffemodel{suffix}", f"{stem}.solverstate{suffix}"
    log.info("Snapshotting to %s file %s", kind, model)
    solver.net.save(model, diff=solver.param.snapshot_diff)
    log.info("Snapshotting solver state to %s file %s", kind, state)
    history = [to_host(array) for array in solver.history]
    write_state(state, State(solver.iter, model, solver.current_step, history, solver.random_seed, fingerprint(model)))
    return model, state


def _refuse_not_finite(solver: Solver) -> None:
    weights = [blob.data for layer in solver.net.layers for blob in layer.blobs]
    if not all_finite([*weights, *solver.history]):
        found = first_not_finite(solver.net.nodes, diffs=False) or "the history of the solver"
        raise SolverError(solver.where, f"no snapshot at iteration {solver.iter}: not all numbers are finite, {found}",
                          hint="earlier snapshots are whole; --allow-nan (allow_nan=True) writes it")


def load(solver: Solver, path: str | os.PathLike) -> State:
    """The state in the file `path`, checked against `solver`, which is not changed; `model` is where the weights are.

    Raises SolverError for a state of another net or solver type, ParseError, ShapeError or DataError for a damaged
    file. The weights are where the state says, or else beside it.
    """
    path = Path(path)
    if ".caffemodel" in path.suffixes:
        raise SolverError(str(path), expected="a .solverstate", got="weights",
                          hint="to start from weights alone use --weights, or copy_from")
    state = read_state(path)
    names = [parameter.layer.name for parameter in solver.net.parameters] * solver.num_histories
    if len(state.history) != len(solver.history):
        raise SolverError(str(path), expected=f"{len(solver.history)} history blobs (net {solver.net.name!r}, "
                          f"{type(solver).__name__})", got=len(state.history),
                          hint="use the solver file that wrote it")
    history = []
    for i, (mine, saved, name) in enumerate(zip(solver.history, state.history, names)):
        if saved.size != mine.size or _without_ones(saved.shape) != _without_ones(mine.shape):
            raise SolverError(str(path), f"history blob {i} (layer {name!r})", expected=f"shape {mine.shape}",
                              got=f"shape {saved.shape}", hint="use the solver file that wrote it")
        with np.errstate(over="ignore"):  # a double that is too large for a float becomes inf
            history.append(saved.reshape(mine.shape).astype(mine.dtype, copy=False))
    return dataclasses.replace(state, model=_model(path, state, solver), history=history)


def resume(solver: Solver) -> str | None:
    """Restore the latest state of the solver's prefix that can be; its path, or None if there are no states.

    Warns of every later one that is damaged or does not fit. Raises the error of the latest if all are so.
    """
    first = None
    for path in states(solver.param.snapshot_prefix):
        try:
            solver.restore(path)
            return path
        except (BlobnetError, OSError) as error:
            log.warning("Cannot resume from %s, trying the one before: %s", path, error)
            first = first or error
    if first is not None:
        raise first
    return None


def find_latest(prefix: str) -> str | None:
    """The path of the state of `prefix`, of either format, with the highest iteration, if there is one."""
    return next(states(prefix), None)


def states(prefix: str) -> Iterator[str]:
    """The paths of the states of `prefix`, of either format, the highest iteration first."""
    folder, name = os.path.split(prefix)
    pattern = re.compile(re.escape(name) + r"_iter_(\d+)\.solverstate(\.h5)?")
    if not os.path.isdir(folder or "."):
        return
    found = [(int(match[1]), match[0]) for match in map(pattern.fullmatch, os.listdir(folder or ".")) if match]
    yield from (os.path.join(folder, file) for _, file in sorted(found, reverse=True))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` without the ones in front that old versions padded it to four axes with."""
    return shape[next((i for i, dim in enumerate(shape) if dim != 1), len(shape)):]


def _model(path: Path, state: State, solver: Solver) -> str | None:
    """The file of the weights that `state`, from `path`, names: with its fingerprint, and all layers of the net."""
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
    missing = solver.net.params.keys() - _saved_layers(found, solver)
    if missing:
        raise SolverError(str(found), f"no parameters for layer {min(missing)!r}", hint="use the net that was trained")
    return str(found)


def _saved_layers(model: Path, solver: Solver) -> set[str]:
    """The names of the layers whose parameters the file `model` holds, and of those that share all of theirs."""
    if is_hdf5(model):
        owners = {parameter.layer.name for parameter in solver.net.parameters}
        return layers_with_parameters(model, solver.net.layers) | (solver.net.params.keys() - owners)
    return {layer.name for layer in read_weight_message(model)[0].layer if layer.blobs}
