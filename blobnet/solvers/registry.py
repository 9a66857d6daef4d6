"""The solver types by name: a solver file's `type` is looked up here, and plug-ins add theirs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

from blobnet.errors import SolverError, close_matches
from blobnet.proto.messages import extend_schema

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

SOLVERS: dict[str, type[Solver]] = {}
SolverClass = TypeVar("SolverClass", bound="type[Solver]")


def register_solver(cls: SolverClass) -> SolverClass:
    """Make `cls` available as the solver type of its own name, and its `schema`, if it has one, part of the schema.

    A class of the same name replaces the earlier one. SolverError if its `update` does not take what it is given.
    """
    _check_update(cls)
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


def _check_update(cls: type[Solver]) -> None:
    signature = inspect.signature(cls.update)
    history = [f"history{i + 1}" if cls.num_histories > 1 else "history" for i in range(cls.num_histories)]
    given = "self", "rate", "values", "gradient", "scratch", *history
    try:
        signature.bind(*given)
        old = list(signature.parameters)[2:3] == ["gradient"]  # as it was before updates saw the values
    except TypeError:
        old = True
    if old:
        raise SolverError(f"solver type {cls.__name__}", expected=f"update({', '.join(given)})",
                          got=f"update{signature}", hint="an update sees the values of the parameter too: write "
                          "`values` after `rate`; then as many arrays of history as num_histories says")
