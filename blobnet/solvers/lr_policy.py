"""Learning rate policies: the rate as a function of the iteration (Caffe 1.0), and its rise at the start in forks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import SolverError, close_matches

Policy = Callable[[int, Message, int], float]
POLICIES: dict[str, Policy] = {}
_uses: dict[str, tuple[str, ...]] = {}  # the fields of SolverParameter that a policy computes with
_least = {"stepsize": 1, "max_iter": 1, "gamma": 0}


def learning_rate(iteration: int, solver: Message, current_step: int = 0, where: str = "solver") -> float:
    """The rate that the SolverParameter `solver` sets for `iteration`, counted from 0.

    `current_step` is how many steps down `multistep` has taken; `next_step` counts them. A field that is not given
    counts as 0. In the first warmup_iter or rampup_interval iterations the rate rises to base_lr instead; it is never
    below min_lr. Raises SolverError for an unknown lr_policy, and for a field that is too small for it.

    >>> from blobnet.proto.messages import new
    >>> learning_rate(250, new("SolverParameter", base_lr=1, lr_policy="step", gamma=0.5, stepsize=100))
    0.25
    """
    name = solver.lr_policy
    if name not in POLICIES:
        raise SolverError(where, f"unknown lr_policy {name!r}" if name else "no lr_policy",
                          hint=close_matches(name, POLICIES))
    for field in _uses[name]:
        value = getattr(solver, field)
        if field in _least and value < _least[field]:
            raise SolverError(where, f"lr_policy {name!r}", expected=f"{field} of at least {_least[field]}", got=value)
    if name == "multifixed" and not 0 < len(solver.stagelr) == len(solver.stageiter):
        raise SolverError(where, "lr_policy 'multifixed'", expected="as many stageiter as stagelr, and one at least",
                          got=f"{len(solver.stageiter)} and {len(solver.stagelr)}")
    if iteration < max(solver.warmup_iter, solver.rampup_interval):
        return max(solver.min_lr, _rising(iteration, solver))
    rate = POLICIES[name](iteration, solver, current_step)
    if name == "poly" and math.isnan(rate):  # a fraction as the power of a negative base
        raise SolverError(where, f"lr_policy 'poly' at iteration {iteration}",
                          expected=f"at most max_iter, {solver.max_iter} iterations", hint="raise max_iter")
    return max(solver.min_lr, rate) if solver.HasField("min_lr") else rate


def missing_fields(solver: Message) -> list[str]:
    """The fields that the lr_policy of `solver` computes with but that are not given, so that they count as 0."""
    return [field for field in ("base_lr", *_uses.get(solver.lr_policy, ())) if not solver.HasField(field)]


def next_step(iteration: int, solver: Message, current_step: int) -> int:
    """How many steps down the rate has taken at `iteration`, if there were `current_step` steps before.

    The number stays as it is unless the lr_policy is `step` or `multistep`. `multistep` takes at most one step in an
    iteration, in the order in which the stepvalues are written. It goes on from the number that a state holds, even if
    the stepvalues have changed since.
    """
    if solver.lr_policy == "step":
        return iteration // solver.stepsize if solver.stepsize > 0 else 0
    left = solver.stepvalue[current_step:] if solver.lr_policy == "multistep" else ()
    return current_step + 1 if left and iteration >= left[0] else current_step


def _power(base: float, exponent: float) -> float:
    """base ^ exponent as C computes it: inf or nan where Python raises an error."""
    with np.errstate(all="ignore"):
        return float(np.float64(base) ** exponent)


def _rising(iteration: int, solver: Message) -> float:
    """The rate on its way to base_lr: by equal steps in Intel's fork, along a parabola in NVIDIA's."""
    if iteration < solver.warmup_iter:
        share, start = iteration / solver.warmup_iter, solver.warmup_start_lr
    else:
        share, start = (iteration / solver.rampup_interval) ** 2, solver.rampup_lr
    return start + (solver.base_lr - start) * share


def _policy(*uses: str) -> Callable[[Policy], Policy]:
    def register(function: Policy) -> Policy:
        POLICIES[function.__name__] = function
        _uses[function.__name__] = uses
        return function
    return register


@_policy()
def fixed(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr"""
    return solver.base_lr


@_policy("gamma", "stepsize")
def step(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr * gamma ^ floor(iteration / stepsize)"""
    return solver.base_lr * _power(solver.gamma, iteration // solver.stepsize)


@_policy("gamma")
def exp(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr * gamma ^ iteration"""
    return solver.base_lr * _power(solver.gamma, iteration)


@_policy("gamma", "power")
def inv(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr * (1 + gamma * iteration) ^ -power"""
    return solver.base_lr * _power(1 + solver.gamma * iteration, -solver.power)


@_policy("gamma")
def multistep(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr * gamma ^ (number of stepvalues reached)"""
    return solver.base_lr * _power(solver.gamma, current_step)


@_policy("power", "max_iter")
def poly(iteration: int, solver: Message, current_step: int) -> float:
    """(base_lr - min_lr) * (1 - iteration / max_iter) ^ power + min_lr"""
    return (solver.base_lr - solver.min_lr) * _power(1 - iteration / solver.max_iter, solver.power) + solver.min_lr


@_policy("gamma", "stepsize")
def sigmoid(iteration: int, solver: Message, current_step: int) -> float:
    """base_lr / (1 + e ^ (-gamma * (iteration - stepsize)))"""
    small = math.exp(-abs(solver.gamma * (iteration - solver.stepsize)))  # never overflows
    return solver.base_lr * (1 if iteration >= solver.stepsize else small) / (1 + small)


@_policy()
def multifixed(iteration: int, solver: Message, current_step: int) -> float:
    """the first of stagelr whose stageiter is not passed yet, the last at the end"""
    return next((rate for rate, last in zip(solver.stagelr, solver.stageiter) if iteration <= last), solver.stagelr[-1])
