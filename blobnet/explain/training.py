"""A training, recorded while the solver makes its steps."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from blobnet.errors import SolverError
from blobnet.explain.curves import Training
from blobnet.explain.recorder import Recorder
from blobnet.solvers import get_solver
from blobnet.solvers.settings import read_solver
from blobnet.solvers.solver import Solver

TEST_BATCHES = 4
NEVER = (1 << 31) - 1  # iterations; test nets must have an interval


def explained_solver(source: str | os.PathLike, random_seed: int | None = None,
                     weights: str | os.PathLike | None = None, **options) -> Solver:
    """The solver of the file `source`, but it writes no snapshots, and makes no tests, since `record` has its own.

    random_seed takes the place of the file's; weights: as for `Solver.copy_from`; options: as for `Solver`.
    """
    param = read_solver(source)
    param.snapshot = 0
    param.snapshot_after_train = param.test_initialization = False
    if param.test_interval > 0:
        param.test_interval = NEVER
    if random_seed is not None:
        param.random_seed = random_seed
    solver = get_solver(param, origin=source, **options)
    if weights is not None:
        solver.copy_from(weights)
    return solver


def chosen_steps(steps: int, frames: int) -> list[int]:
    """0, `steps`, and others between them, at growing distances; at most `frames`, which is at least 2.

    >>> chosen_steps(100, 7), chosen_steps(3, 7)
    ([0, 1, 3, 6, 16, 40, 100], [0, 1, 2, 3])
    """
    if steps < frames:
        return list(range(steps + 1))
    found = [0]
    for left, step in zip(range(frames - 2, -1, -1), np.geomspace(steps, 1, frames - 1)[::-1]):
        found.append(min(max(round(step), found[-1] + 1), steps - left))
    return found


def record(solver: Solver, steps: int, frame: Callable[[int], Any] | None = None, frames: int = 9,
           test_batches: int = TEST_BATCHES) -> Training:
    """Make `steps` iterations of `solver`; before some of them, and at the end, keep what frame(iteration) returns.

    steps: at least 1; frames: how many, at least 2; test_batches: how many of its first batches a test net runs for
    each frame, at most, and never more than its test_iter. The solver logs as ever. What ends the training early, such
    as a loss that is not finite, is in `stopped`.
    """
    if steps < 1 or frames < 2:
        raise SolverError(solver.where, expected="at least 1 step and 2 frames", got=f"{steps} and {frames}")
    chosen = {solver.iter + step for step in chosen_steps(steps, frames)[:-1]}
    recorder = Recorder(solver, steps, chosen, frame or (lambda iteration: None), test_batches)
    with solver.watched_by(recorder):
        try:
            solver.step(steps)
        except SolverError as error:
            recorder.training.stopped = str(error)
    recorder.finish()
    return recorder.training
