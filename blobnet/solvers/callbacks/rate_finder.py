"""The learning rate range test: train for a while with a rate that grows, and see at which rates the loss falls."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from blobnet.core.not_finite import all_finite
from blobnet.errors import SolverError
from blobnet.solvers.solver import Solver

SMOOTH = 0.9    # of a running mean of the losses, how much stays
DIVERGED = 4.0  # times the smallest smoothed loss: no reason to go on
SHARE = 0.1     # of the rate with the smallest smoothed loss: a rate to train with


class RateTest(NamedTuple):
    """What `find_rate` found: rates (n,), ascending, the losses (n,) they were met with, and these smoothed, (n,).

    suggestion: a tenth of the rate at which the smoothed loss was smallest; None if that was the first, so that no rate
    lowered the loss. ended: why the test ended before its last step, "" if it did not.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    ended: str


def find_rate(solver: Solver, low: float = 1e-6, high: float = 1.0, steps: int = 100) -> RateTest:
    """The losses of `steps` iterations whose rates grow from `low` to `high` by equal factors.

    Loss i is that before the update with rate i; the smoothed one is the running mean sum 0.9^(i-k) loss_k over
    sum 0.9^(i-k). The test ends early where a loss or gradient is not finite, or the smoothed loss is 4 times its
    smallest. Warm-up, lr_policy and min_lr have no part in it; lr_mult, decay, momentum and clipping have.
    Afterwards `solver` is as it was: parameters with their diffs, history, iteration, rate, losses, the position in the
    data and in the random streams. Not so: the blobs between the layers hold the last batch; what layers carry from one
    batch to the next (a recurrent layer's state) begins anew, as after a restored snapshot; a Python layer keeps what
    it keeps. Watchers of the solver are told nothing; there are no tests, snapshots and lines of the log.
    SolverError for numbers that make no sense, for a type without a rate and for several processes.
    Paper: Smith, Cyclical learning rates for training neural networks, WACV 2017, section 3.3. The factor of ten below
    the smallest loss is a rule of thumb of fastai's, and not in the paper.
    """
    if not (0 < low < high < math.inf and steps >= 2):
        raise SolverError("find_rate", expected="0 < low < high and 2 steps or more",
                          got=f"low {low:g}, high {high:g}, {steps} steps")
    if solver.together.size > 1:
        raise SolverError(solver.where, "find_rate: several processes train together", hint="let one search alone")
    if not solver.needs_rate:
        raise SolverError(solver.where, f"{type(solver).__name__} has no learning rate", hint="just train")
    rates, losses, smoothed, ended = np.geomspace(low, high, steps), [], [], ""
    mean = weight = 0.0
    with kept(solver), np.errstate(over="ignore", invalid="ignore"):
        for rate in rates.tolist():
            loss = _gradients(solver)
            if not (math.isfinite(loss) and all_finite(parameter.blob.diff for parameter in solver.net.parameters)):
                ended = f"at the rate {rate:.3g} the loss or a gradient was not finite"
                break
            mean, weight = SMOOTH * mean + loss, SMOOTH * weight + 1
            losses.append(loss)
            smoothed.append(mean / weight)
            if smoothed[-1] > DIVERGED * min(smoothed) > 0:
                ended = f"at the rate {rate:.3g} the smoothed loss was over {DIVERGED:g} times its smallest"
                break
            solver.param.base_lr = rate
            solver.apply_update()
    if not losses:
        raise SolverError(solver.where, "find_rate: the loss or a gradient is not finite before any update")
    place = int(np.argmin(smoothed))
    return RateTest(rates[:len(losses)], np.array(losses), np.array(smoothed),
                    SHARE * float(rates[place]) if place else None, ended)


def _gradients(solver: Solver) -> float:
    """Run forward and backward for the next iteration; its loss."""
    size, loss = solver.param.iter_size, 0.0
    solver.net.clear_param_diffs()
    for _ in range(size):
        solver.net.forward()
        loss += solver.net.loss / size
        solver.net.backward()
    return loss


@contextlib.contextmanager
def kept(solver: Solver) -> Iterator[None]:
    """While the block runs, the solver trains with a fixed rate, and says nothing; afterwards it is as it was."""
    solver.settle()
    param, net = solver.param, solver.net
    numbers = {name: getattr(solver, name) for name in ("iter", "current_step", "rate", "decay")}
    with net.context.on_device():
        arrays = [*(array for layer in net.layers for blob in layer.blobs for array in (blob.data, blob.diff)),
                  *solver.history]
        copies = [array.copy() for array in arrays]
    step, whole = net.context.step, solver._whole
    whole.check(solver.iter, solver.where)
    solver.param = type(param)()
    solver.param.CopyFrom(param)
    solver.param.MergeFrom(type(param)(lr_policy="fixed", display=0, debug_info=False))
    for name in ("warmup_iter", "rampup_interval", "min_lr"):
        solver.param.ClearField(name)
    try:
        with whole.change(harmless=BaseException):  # what is cut short is put right below
            yield
    finally:
        with net.context.on_device():
            for array, copy in zip(arrays, copies):
                array[...] = copy
        solver.param = param
        for name, value in numbers.items():
            setattr(solver, name, value)
        net.seek(step)
