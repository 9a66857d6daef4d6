"""Snapshots: a .caffemodel with the weights, and a .solverstate with what the solver remembers.

As HDF5 files, which snapshot_format: HDF5 asks for, their names end in .h5 besides.
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


def save(solver: Message, net: Net, state: State) -> tuple[str, str]:
    """Write the weights of `net` and the `state` of its training as the SolverParameter `solver` says.

    Returns the paths of the two files; `state` need not know that of the weights. The state is written last, so that it
    never names weights that are not whole, and holds their fingerprint.
    """
    stem = f"{solver.snapshot_prefix}_iter_{state.iter}"
    suffix, kind = FORMATS[solver.snapshot_format]
    model, path = f"{stem}.caffemodel{suffix}", f"{stem}.solverstate{suffix}"
    log.info("Snapshotting to %s file %s", kind, model)
    net.save(model, diff=solver.snapshot_diff)
    log.info("Snapshotting solver state to %s file %s", kind, path)
    write_state(path, dataclasses.replace(state, model=model, weights=fingerprint(model),
                                          history=[to_host(array) for array in state.history]))
    return model, path


def resume(prefix: str, restore: Callable[[str], object]) -> str | None:
    """Call `restore` with the latest state of `prefix` that can be restored; its path, or None if there are no states.

    Warns of every later one that is damaged or does not fit. Raises the error of the latest if all are so.
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
