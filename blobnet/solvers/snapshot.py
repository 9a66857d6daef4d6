"""Snapshots: a .caffemodel with the weights, and a .solverstate with what the solver remembers.

With snapshot_format: HDF5 both are HDF5 files, and .h5 is added to their names.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator

from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.errors import BlobnetError, SolverError
from blobnet.solvers.state_files import State, fingerprint, write_state

log = logging.getLogger(__name__)
FORMATS = (".h5", "HDF5"), ("", "binary proto")  # ends of names, words of the log; by the number of snapshot_format


def check_destination(solver: Message, where: str, stem: str = "") -> None:
    """Make the folder that snapshots, or those of `stem`, go to; SolverError if it cannot be made or written to."""
    if not stem and not solver.snapshot_prefix:
        raise SolverError(where, "no snapshot_prefix", hint="add one, or set snapshot: 0 snapshot_after_train: false")
    folder = os.path.dirname(stem or solver.snapshot_prefix) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SolverError(where, f"cannot write snapshots to the folder {folder!r}: {error.strerror}",
                          hint="change snapshot_prefix") from None


def save(solver: Message, net: Net, state: State, stem: str = "") -> tuple[str, str]:
    """Write the weights of `net` and the `state` of its training as the SolverParameter `solver` says.

    Returns the paths of the two files, which begin with `stem` if it is given. The state is written last, so that it
    never names weights that are not whole; in the file it has the path and the fingerprint of the weights, which
    `state` need not have.
    """
    model, path = paths(solver, state.iter, stem)
    kind = FORMATS[solver.snapshot_format][1]
    log.info("Snapshotting to %s file %s", kind, model)
    net.save(model, diff=solver.snapshot_diff)
    log.info("Snapshotting solver state to %s file %s", kind, path)
    write_state(path, dataclasses.replace(state, model=model, weights=fingerprint(model),
                                          history=[to_host(array) for array in state.history]))
    return model, path


def paths(solver: Message, iteration: int, stem: str = "") -> tuple[str, str]:
    """Where `save` writes the two files of this iteration."""
    stem, suffix = stem or f"{solver.snapshot_prefix}_iter_{iteration}", FORMATS[solver.snapshot_format][0]
    return f"{stem}.caffemodel{suffix}", f"{stem}.solverstate{suffix}"


def resume(prefix: str, restore: Callable[[str], object]) -> str | None:
    """Call `restore` with the states of `prefix`, the latest first, until one is restored; return its path.

    None if there are no states. Logs a warning for every state that is damaged or does not fit, and raises the error of
    the latest if none can be restored.
    """
    first = None
    for path in states(prefix):
        try:
            restore(path)
            return path
        except (BlobnetError, OSError) as error:
            log.warning("Cannot resume from %s, trying the one before: %s", path, error)
            first = first or error
    if first is not None:
        raise first
    return None


def find_latest(prefix: str) -> str | None:
    """The path of the state of `prefix` with the highest iteration, in either format; None if there is none."""
    return next(states(prefix), None)


def states(prefix: str) -> Iterator[str]:
    """The paths of the states of `prefix`, in either format, the highest iteration first."""
    folder, name = os.path.split(prefix)
    pattern = re.compile(re.escape(name) + r"_iter_(\d+)\.solverstate(\.h5)?")
    if not os.path.isdir(folder or "."):
        return
    found = [(int(match[1]), match[0]) for match in map(pattern.fullmatch, os.listdir(folder or ".")) if match]
    yield from (os.path.join(folder, file) for _, file in sorted(found, reverse=True))
