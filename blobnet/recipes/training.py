"""The training of a trial, which goes on where it was interrupted."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.recipes.trial import Trial
from blobnet.solvers import get_solver

WINDOW = 50  # iterations from one line of progress to the next


def train(trial: Trial, param: Message) -> str:
    """Train by the SolverParameter to its last iteration, from the last snapshot if there is one; the weights' path."""
    solver = get_solver(param, device=trial.device, python_layers=trial.python_layers)
    if solver.resume():
        trial.note(f"goes on from iteration {solver.iter}")
    losses: list[float] = []
    solver.add_callback(on_gradients_ready=lambda: losses.append(solver.loss))
    while solver.iter < param.max_iter:
        solver.step(min(WINDOW, param.max_iter - solver.iter))
        trial.note(f"iteration {solver.iter} of {param.max_iter}, loss {np.mean(losses):.4f}")
        losses.clear()
    return solver.snapshot()[0]
