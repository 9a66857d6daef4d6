"""Tests during training: the mean outputs of a test net."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.errors import ShapeError
from blobnet.solvers.display import output_lines

if TYPE_CHECKING:
    from blobnet.solvers.solver import Solver

log = logging.getLogger(__name__)


def evaluate(solver: Solver, k: int) -> dict[str, np.ndarray]:
    """Run test net `k` of `solver` for its test_iter batches; log and return the mean of every output.

    Obeys requests for a snapshot between batches. Returns {} if a stop is requested before the last batch. SolverError
    for a loss or mean that is not finite, unless `solver.allow_nan`.
    """
    net, batches = solver.test_nets[k], solver.param.test_iter[k]
    log.info("Iteration %d, Testing net (#%d)", solver.iter, k)
    loss, sums = 0.0, {}
    for _ in range(batches):
        if solver.snapshot_requested:
            solver.snapshot()
        if solver.stop_requested:
            log.info("Test interrupted.")
            return {}
        for name, value in net.forward().items():
            add_output(sums, name, value)
        if not math.isfinite(net.loss):
            solver.refuse_not_finite(f"the loss of test net #{k} is {net.loss:g}", net, diffs=False)
        loss += net.loss
    if solver.param.test_compute_loss and batches > 0:
        log.info("Test loss: %g", loss / batches)
    means = {name: to_host(total / batches) for name, total in sums.items()}
    for line in output_lines("Test", net, means):
        log.info("%s", line)
    for name, mean in means.items():
        if not np.isfinite(mean).all():
            solver.refuse_not_finite(f"output {name!r} of test net #{k} is not finite", net, diffs=False)
    return means


def add_output(sums: dict[str, np.ndarray], name: str, value: np.ndarray) -> None:
    """Add an output of one more batch to its sum, element by element, whatever its shape is, as Caffe does.

    ShapeError if it has another number of elements than in the first batch.
    """
    if name not in sums:
        sums[name] = value.copy()
        return
    total = sums[name]
    if total.size != value.size:
        raise ShapeError(f"output {name!r}", expected=f"as many elements as in the first batch, {total.shape}",
                         got=value.shape, hint="outputs are averaged over the batches")
    total += value.reshape(total.shape)


def tests_before(iteration: int, solver: Message) -> int:
    """How many tests a run makes before it comes to `iteration`, that of `iteration` itself not included."""
    if iteration == 0 or solver.test_interval <= 0:
        return 0
    return -(-iteration // solver.test_interval) - (not solver.test_initialization)
