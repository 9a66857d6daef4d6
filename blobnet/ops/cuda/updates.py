"""The update of all parameters of a net, by one kernel: they lie one after the other in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch, launch_rows

RULES = "sgd", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw"  # as enum UpdateRule has them
ROWS, SHORTEST = 1024, 1024  # in how many rows gradients are summed at most, and how long these are at least


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


def clip_gradients(gradients: Array, limit: float, step: Array) -> None:
    length = max(SHORTEST, -(-gradients.size // ROWS))
    rows = -(-gradients.size // length)
    sums = array_module(gradients).empty(rows, gradients.dtype)
    launch_rows("square_sums", rows, gradients, length, sums, rows, gradients.size)
    launch_rows("clip_gradients", 1, sums, rows, limit, step)


def write_step(step: Array, rate: float, corrections: Sequence[float], factor: float) -> None:
    """Write the numbers of an iteration into `step`. A kernel takes them along, as a copy would wait for the device."""
    launch("write_step", 1, step, rate, *corrections, factor)


def update_parameters(settings: Settings, values: Array, gradients: Array, histories: Sequence[Array], layout: Layout,
                      step: Array, state: Array) -> None:
    """Turn all `gradients` into the update, as the rule has it, and subtract it from the `values`.

    step: the numbers of the iteration; state: of the doubts. Nothing changes once a doubt was right.
    """
    first, second = (*histories, None)[:2]
    a, b = (*settings.shares, 0, 0)[:2]
    launch("update_parameters", values.size, RULES.index(settings.rule), values, gradients, first, second, *layout,
           len(layout.ends), step, state, settings.weight_decay, settings.l1, a, 1 - a, b, 1 - b, settings.delta,
           values.size)
