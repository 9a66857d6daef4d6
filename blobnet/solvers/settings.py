"""The settings of a solver: read, brought up to date, completed and checked."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Sequence

from google.protobuf.message import Message

from blobnet.backend import gpu_available
from blobnet.core.parameters import Parameter
from blobnet.errors import SolverError, close_matches
from blobnet.netdef import upgrade_solver
from blobnet.netdef.ignored import refused_fields
from blobnet.proto.files import read_message
from blobnet.proto.messages import convert
from blobnet.proto.source import place, walk
from blobnet.solvers.average_precision import VERSIONS
from blobnet.solvers.lr_policy import learning_rate, missing_fields
from blobnet.solvers.regularize import REGULARIZERS

log = logging.getLogger(__name__)
EVAL_TYPES = ("classification", "detection")
NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)f?|[-+]?[\d.]+e\+?\d+f?", re.IGNORECASE)  # or too large for a float


def read_solver(source: str | os.PathLike | Message) -> Message:
    """The SolverParameter in the file `source`, or `source` itself, with `type` in the place of `solver_type`.

    If a file gives no snapshot_prefix, it is the path of the file without the extension. If it gives a folder, one that
    exists or a path that ends in /, the name of the file without the extension is added.
    """
    if isinstance(source, Message):
        return upgrade_solver(convert(source))
    path = os.fspath(source)
    solver = upgrade_solver(read_message(path, "SolverParameter"), path)
    prefix, stem = solver.snapshot_prefix, os.path.splitext(path)[0]
    if not solver.HasField("snapshot_prefix"):
        solver.snapshot_prefix = stem
    elif os.path.isdir(prefix) or prefix.endswith("/"):
        solver.snapshot_prefix = os.path.join(prefix, os.path.basename(stem))
    return solver


def check_solver(solver: Message, where: str, needs_rate: bool = True) -> None:
    """Raise SolverError for settings that no solver type can work with; the rate's are looked at if `needs_rate`."""
    for field, value in solver.ListFields():
        if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
            for number in value if field.is_repeated else [value]:
                if not math.isfinite(number):
                    raise SolverError(_place(where, field.name), expected=f"a finite number for {field.name}",
                                      got=f"{number:g}")
    for _, field_name, why in refused_fields(solver):
        raise SolverError(where, f"{field_name} is not done here: {why}", hint="remove it, if its default will do")
    if needs_rate:
        learning_rate(0, solver, where=where)
        for name in missing_fields(solver):
            log.warning("%s: no %s for lr_policy %r; it counts as 0", where, name, solver.lr_policy)
    for name in ("average_loss", "iter_size"):
        if getattr(solver, name) < 1:
            raise SolverError(where, expected=f"{name} of at least 1", got=getattr(solver, name))
    for name, known in (("regularization_type", REGULARIZERS), ("eval_type", EVAL_TYPES), ("ap_version", VERSIONS)):
        if getattr(solver, name) not in known:
            raise SolverError(where, f"unknown {name} {getattr(solver, name)!r}",
                              hint=close_matches(getattr(solver, name), known))


def check_multipliers(parameters: Sequence[Parameter], where: str) -> None:
    """Raise SolverError for an lr_mult or decay_mult that is not finite."""
    for parameter in parameters:
        for field in ("lr_mult", "decay_mult"):
            if not math.isfinite(getattr(parameter, field)):
                raise SolverError(where, parameter.layer.where, expected=f"a finite {field} of parameter "
                                  f"{parameter.index}", got=f"{getattr(parameter, field):g}")


def _place(where: str, field: str) -> str:
    """The line of the solver file `where` at which `field` is given a number that is not finite, or else `where`."""
    try:
        with open(where, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return where
    for token in walk(text):
        if token.kind == "value" and token.field == field and NOT_FINITE.fullmatch(token.text):
            return place(text, where, token.offset)
    return where


def refuse_momentum(solver: Message, where: str, kind: str) -> None:
    """Raise SolverError if `solver` sets a momentum; the solver type `kind` has none."""
    if solver.momentum:
        raise SolverError(where, expected=f"no momentum with {kind}", got=f"{solver.momentum:g}",
                          hint="remove momentum")


def check_shares(solver: Message, where: str, kind: str, *fields: str) -> None:
    """Raise SolverError if one of `fields`, shares of the past in running means, is not in [0, 1); `kind`: the type."""
    for field in fields:
        if not 0 <= getattr(solver, field) < 1:
            raise SolverError(where, expected=f"{field} in [0, 1) for {kind}", got=f"{getattr(solver, field):g}")


def choose_device(solver: Message) -> str:
    """The device that solver_mode and device_id ask for; the CPU if they ask for a GPU and there is none."""
    if solver.solver_mode != type(solver).GPU:
        return "cpu"
    if gpu_available():
        return f"gpu:{solver.device_id}"
    if solver.HasField("solver_mode"):
        log.info("solver_mode is GPU, but no GPU can be used: training on the CPU")
    return "cpu"
