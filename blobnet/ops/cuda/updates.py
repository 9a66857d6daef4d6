"""The update of all parameters of a net, by one kernel: they lie one after the other in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch, launch_rows

RULES = "sgd", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw"  # as enum UpdateRule has them
ROWS, SHORTEST = 1024, 1024  # how many rows of gradients are looked at, and how long these are at least


class Layout(NamedTuple):
    """How the parameters lie: owners, int32, of every unit of numbers the parameter; ends, int64, where each ends;
    multipliers (2, parameters), the lr_mult and the decay_mult of each."""

    owners: Array
    ends: Array
    multipliers: Array


class Settings(NamedTuple):
    """What stays the same for a whole training. rule: one of RULES; shares: the share of the past in each history."""

    rule: str
    weight_decay: float
    l1: bool
    shares: Sequence[float]
    delta: float


def judge(gradients: Array, limit: float, size: int, step: Array, doubt: Array | None, doubts: Array | None) -> None:
    xp, n = array_module(gradients), gradients.size
    length = max(SHORTEST, -(-n // ROWS))
    rows = -(-n // length) if limit >= 0 or doubt is not None else 0  # else nobody asks
    sums, firsts = xp.empty(rows, gradients.dtype), xp.empty(rows, np.int64)
    launch_rows("gradient_rows", rows, gradients, sums, firsts, length, rows, n)
    launch_rows("judge", 1, sums, firsts, rows, n, limit, size, step, doubt, doubts, 0 if doubts is None else len(doubts))


def write_step(step: Array, iteration: int, rate: float, corrections: Sequence[float]) -> None:
    """Write the numbers of an iteration that the host knows into `step`: without a copy, so that nobody waits."""
    launch("write_step", 1, step, iteration, rate, *corrections)


def update(settings: Settings, values: Array, gradients: Array, histories: Sequence[Array], layout: Layout,
           step: Array) -> None:
    """Turn all `gradients` into the update, as the rule has it, and subtract it from the `values`.

    step: the numbers of the iteration, after `judge`; nothing changes if they say that no update may be made.
    """
    first, second = (*histories, None)[:2]
    a, b = (*settings.shares, 0, 0)[:2]
    launch("update", values.size, RULES.index(settings.rule), values, gradients, first, second, *layout,
           len(layout.ends), step, settings.weight_decay, settings.l1, a, 1 - a, b, 1 - b, settings.delta, values.size)
