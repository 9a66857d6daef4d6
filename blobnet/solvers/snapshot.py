"""Snapshots: a .caffemodel with the weights, and a .solverstate with what the solver remembers."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.weights import read_weight_message
from blobnet.errors import SolverError
from blobnet.proto.binary import read_weights, write_weights
from blobnet.proto.blobs import blob_array, blob_shape, set_blob
from blobnet.proto.messages import new
from blobnet.solvers.lr_policy import current_step

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

log = logging.getLogger(__name__)


@dataclasses.dataclass
class State:
    """What a .solverstate says: the iteration, the file with the weights, the history arrays, the drawn seed."""

    iter: int
    model: Path | None
    history: list[np.ndarray]
    random_seed: int | None


def check_destination(solver: Message, where: str) -> None:
    """Make the folder that snapshots go to; SolverError if there can be none."""
    if not solver.snapshot_prefix:
        raise SolverError(where, "no snapshot_prefix", hint="add one, or set snapshot: 0 snapshot_after_train: false")
    if solver.snapshot_format != type(solver).BINARYPROTO:
        raise SolverError(where, "snapshot_format: HDF5 is not available yet",
                          hint="write snapshot_format: BINARYPROTO")
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

    The state comes last, so that it never names weights that are not whole.
    """
    check_destination(solver.param, solver.where)
    stem = f"{solver.param.snapshot_prefix}_iter_{solver.iter}"
    model, state = stem + ".caffemodel", stem + ".solverstate"
    log.info("Snapshotting to binary proto file %s", model)
    solver.net.save(model, diff=solver.param.snapshot_diff)
    message, arrays = new("SolverState", iter=solver.iter, learned_net=model, random_seed=solver.random_seed,
                          current_step=current_step(max(solver.iter - 1, 0), solver.param)), []
    for array in solver.history:
        set_blob(message.history.add(), to_host(array), arrays)
    log.info("Snapshotting solver state to binary proto file %s", state)
    write_weights(state, message, arrays)
    return model, state


def load(solver: Solver, path: str | os.PathLike) -> State:
    """The state in the file `path`, checked against `solver`, which is not changed.

    Raises SolverError for a state of another net or solver type, ParseError for a damaged file. The weights are where
    the state says, or else beside it.
    """
    path = Path(path)
    if path.suffix == ".h5":
        raise SolverError(str(path), "HDF5 states are not available yet", hint="use a .solverstate")
    if path.suffix == ".caffemodel":
        raise SolverError(str(path), expected="a .solverstate", got="weights",
                          hint="to start from weights alone use --weights, or copy_from")
    message, arrays = read_weights(path, "SolverState")
    names = [parameter.layer.name for parameter in solver.net.parameters] * solver.num_histories
    if len(message.history) != len(solver.history):
        raise SolverError(str(path), expected=f"{len(solver.history)} history blobs (net {solver.net.name!r}, "
                          f"{type(solver).__name__})", got=len(message.history),
                          hint="use the solver file that wrote it")
    history = []
    for i, (mine, saved, name) in enumerate(zip(solver.history, message.history, names)):
        shape, values = blob_shape(saved), blob_array(saved, arrays)
        if values.size != mine.size or _without_ones(shape) != _without_ones(mine.shape):
            raise SolverError(str(path), f"history blob {i} (layer {name!r})", expected=f"shape {mine.shape}",
                              got=f"shape {shape} with {values.size} numbers", hint="use the solver file that wrote it")
        history.append(values.reshape(mine.shape))
    return State(message.iter, _model(path, message.learned_net, solver), history,
                 message.random_seed if message.HasField("random_seed") else None)


def find_latest(prefix: str) -> str | None:
    """The path of the .solverstate of `prefix` with the highest iteration, if there is one."""
    folder, name = os.path.split(prefix)
    pattern = re.compile(re.escape(name) + r"_iter_(\d+)\.solverstate")
    if not os.path.isdir(folder or "."):
        return None
    found = [(int(match[1]), match[0]) for match in map(pattern.fullmatch, os.listdir(folder or ".")) if match]
    return os.path.join(folder, max(found)[1]) if found else None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` without the ones in front that old versions padded it to four axes with."""
    return shape[next((i for i, dim in enumerate(shape) if dim != 1), len(shape)):]


def _model(state: Path, learned_net: str, solver: Solver) -> Path | None:
    """The file of the weights that `state` names, which must have all layers of the net."""
    if not learned_net:
        return None
    places = [Path(learned_net), state.parent / Path(learned_net).name]
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise SolverError(str(state), f"its weights are not at {learned_net!r}, nor at {str(places[1])!r}",
                          hint="put the .caffemodel beside the .solverstate")
    message, _ = read_weight_message(found)
    missing = solver.net.params.keys() - {layer.name for layer in message.layer if layer.blobs}
    if missing:
        raise SolverError(str(found), f"no parameters for layer {min(missing)!r}", hint="use the net that was trained")
    return found
