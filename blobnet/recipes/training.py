"""The training of a trial, which goes on where it was interrupted."""

from __future__ import annotations

import logging

import numpy as np
from google.protobuf.message import Message

from blobnet.recipes.trial import Trial
from blobnet.solvers import Solver, get_solver

log = logging.getLogger(__name__)
WINDOW = 50  # iterations from one line of progress to the next


def make_solver(trial: Trial, param: Message) -> Solver:
    """The solver of a trial. What reads training logs looks for the line that it logs."""
    solver = get_solver(param, device=trial.device, python_layers=trial.python_layers)
    log.info("Solving %s", solver.net.name)
    return solver


def train(trial: Trial, param: Message) -> str:
    """Train by the SolverParameter to its last iteration, from the last snapshot if there is one; the weights' path."""
    solver = make_solver(trial, param)
    if solver.resume():
        trial.note(f"goes on from iteration {solver.iter}")
    while solver.iter < param.max_iter:
        count = min(WINDOW, param.max_iter - solver.iter)
        solver.step(count)
        trial.note(f"iteration {solver.iter} of {param.max_iter}, loss {np.mean(solver.losses.last(count)):.4f}")
    return solver.snapshot()[0]
