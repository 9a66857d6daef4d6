"""Learning rate policies: the rate as a function of the iteration (Caffe 1.0)."""

from __future__ import annotations

import math
from collections.abc import Callable

from google.protobuf.message import Message

from blobnet.errors import SolverError, close_matches

Policy = Callable[[int, Message], float]
POLICIES: dict[str, Policy] = {}
_needs: dict[str, tuple[str, ...]] = {}  # the fields of SolverParameter that a policy cannot do without
_least = {"stepsize": 1, "max_iter": 1, "gamma": 0}


def learning_rate(iteration: int, solver: Message, where: str = "solver") -> float:
    """The rate that the SolverParameter `solver` sets for `iteration`, counted from 0.

    Raises SolverError for an unknown lr_policy, and for a field that the policy needs and that is missing or too small.

    >>> from blobnet.proto.messages import new
    >>> learning_rate(250, new("SolverParameter", base_lr=1, lr_policy="step", gamma=0.5, stepsize=100))
    0.25
    """
    name = solver.lr_policy
    if name not in POLICIES:
        raise SolverError(where, f"unknown lr_policy {name!r}" if name else "no lr_policy",
                          hint=close_matches(name, POLICIES))
    for field in ("base_lr", *_needs[name]):
        value = getattr(solver, field)
        if field == "stepvalue" and not value or field != "stepvalue" and not solver.HasField(field):
            raise SolverError(where, f"lr_policy {name!r} needs {field}", hint=f"add {field}: …")
        if field in _least and value < _least[field]:
            raise SolverError(where, f"lr_policy {name!r}", expected=f"{field} of at least {_least[field]}", got=value)
    return POLICIES[name](iteration, solver)


def current_step(iteration: int, solver: Message) -> int:
    """How many steps down the rate has taken at `iteration`; 0 for policies without steps.

    Quirks: `multistep` takes one step an iteration at most, in the order in which the stepvalues are written.
    """
    if solver.lr_policy == "step":
        return iteration // solver.stepsize
    taken, at = 0, -1
    for value in solver.stepvalue if solver.lr_policy == "multistep" else ():
        at = max(value, at + 1)
        taken += at <= iteration
    return taken


def _policy(*needs: str) -> Callable[[Policy], Policy]:
    def register(function: Policy) -> Policy:
        POLICIES[function.__name__] = function
        _needs[function.__name__] = needs
        return function
    return register


@_policy()
def fixed(iteration: int, solver: Message) -> float:
    """base_lr"""
    return solver.base_lr


@_policy("gamma", "stepsize")
def step(iteration: int, solver: Message) -> float:
    """base_lr * gamma ^ floor(iteration / stepsize)"""
    return solver.base_lr * solver.gamma ** current_step(iteration, solver)


@_policy("gamma")
def exp(iteration: int, solver: Message) -> float:
    """base_lr * gamma ^ iteration"""
    return solver.base_lr * solver.gamma ** iteration


@_policy("gamma", "power")
def inv(iteration: int, solver: Message) -> float:
    """base_lr * (1 + gamma * iteration) ^ -power"""
    return solver.base_lr * (1 + solver.gamma * iteration) ** -solver.power


@_policy("gamma", "stepvalue")
def multistep(iteration: int, solver: Message) -> float:
    """base_lr * gamma ^ (number of stepvalues reached)"""
    return solver.base_lr * solver.gamma ** current_step(iteration, solver)


@_policy("power", "max_iter")
def poly(iteration: int, solver: Message) -> float:
    """base_lr * (1 - iteration / max_iter) ^ power, up to max_iter"""
    if iteration > solver.max_iter:  # the base would be negative
        raise SolverError("solver", f"lr_policy 'poly' at iteration {iteration}",
                          expected=f"at most max_iter, {solver.max_iter} iterations", hint="raise max_iter")
    return solver.base_lr * (1 - iteration / solver.max_iter) ** solver.power


@_policy("gamma", "stepsize")
def sigmoid(iteration: int, solver: Message) -> float:
    """base_lr / (1 + e ^ (-gamma * (iteration - stepsize)))"""
    small = math.exp(-abs(solver.gamma * (iteration - solver.stepsize)))  # never overflows
    return solver.base_lr * (1 if iteration >= solver.stepsize else small) / (1 + small)
