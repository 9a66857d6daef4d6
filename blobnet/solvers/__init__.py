"""Solvers: the training loop, and a file a type in `types`; importing this package registers them."""

from __future__ import annotations

import os

from google.protobuf.message import Message

from blobnet.solvers import types  # noqa: F401  (registers every solver type)
from blobnet.solvers.registry import SOLVERS, register_solver, solver_class
from blobnet.solvers.settings import read_solver
from blobnet.solvers.solver import Solver

__all__ = ["SOLVERS", "Solver", "get_solver", "register_solver"]


def get_solver(source: str | os.PathLike | Message, **kwargs) -> Solver:
    """The solver of the type that the solver file or SolverParameter `source` names; `kwargs` as for `Solver`.

    Raises SolverError with close matches for an unknown type.
    """
    where = os.fspath(kwargs.get("origin") or "solver") if isinstance(source, Message) else os.fspath(source)
    return solver_class(read_solver(source).type, where)(source, **kwargs)
