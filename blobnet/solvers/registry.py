"""The solver types by name: a solver file's `type` is looked up here, and plug-ins add theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from blobnet.errors import SolverError, close_matches
from blobnet.proto.messages import extend_schema

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

SOLVERS: dict[str, type[Solver]] = {}
SolverClass = TypeVar("SolverClass", bound="type[Solver]")


def register_solver(cls: SolverClass) -> SolverClass:
    """Make `cls` available as the solver type of its own name, and its `schema`, if it has one, part of the schema.

    A class of the same name replaces the earlier one.
    """
    if cls.schema:
        extend_schema(cls.schema, origin=f"{cls.__module__}.{cls.__qualname__}.schema")
    SOLVERS[cls.__name__] = cls
    return cls


def solver_class(name: str, where: str = "solver") -> type[Solver]:
    """The class of the solver type `name`; SolverError with close matches if nobody registered it."""
    if name not in SOLVERS:
        raise SolverError(where, f"unknown solver type {name!r}", hint=close_matches(name, SOLVERS)
                          or "write it as a plug-in and load it before the solver")
    return SOLVERS[name]
