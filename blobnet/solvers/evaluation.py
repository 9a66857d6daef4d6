"""Tests during training: the mean outputs of a test net."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.errors import ShapeError
from blobnet.log.outputs import output_lines
from blobnet.solvers.finite import check_loss, check_means

log = logging.getLogger(__name__)


def evaluate(net: Net, batches: int, number: int, iteration: int, where: str, goes_on: Callable[[], bool],
             show_loss: bool = False, allow_nan: bool = False) -> dict[str, np.ndarray]:
    """The mean of every output of `net` over `batches` forward passes, by name, which is also logged.

    number: that of the test net; iteration: that of the training; where: the solver file. `goes_on` is called before
    every batch: if it says no, the test ends and its result is {}. `show_loss` logs the mean loss too. SolverError for
    a loss or a mean that is not finite, unless `allow_nan`.
    """
    log.info("Iteration %d, Testing net (#%d)", iteration, number)
    sums: dict[str, np.ndarray] = {}
    loss = 0.0
    for _ in range(batches):
        if not goes_on():
            log.info("Test interrupted.")
            return {}
        for name, value in net.forward().items():
            add_output(sums, name, value)
        if not allow_nan:
            check_loss(net, iteration, where, f"the loss of test net #{number}")
        loss += net.loss
    if show_loss and batches > 0:
        log.info("Test loss: %g", loss / batches)
    means = {name: to_host(total / batches) for name, total in sums.items()}
    for line in output_lines("Test", means, loss_weights(net)):
        log.info("%s", line)
    if not allow_nan:
        check_means(means, net, number, iteration, where)
    return means


def add_output(sums: dict[str, np.ndarray], name: str, value: np.ndarray) -> None:
    """Add the output `name` of one more batch to its sum in `sums`, element by element, whatever shape it has now.

    That is what Caffe does. ShapeError if it has another number of elements than in the first batch.
    """
    if name not in sums:
        sums[name] = value.copy()
        return
    total = sums[name]
    if total.size != value.size:
        raise ShapeError(f"output {name!r}", expected=f"as many elements as in the first batch, {total.shape}",
                         got=value.shape, hint="outputs are averaged over the batches")
    total += value.reshape(total.shape)


def loss_weights(net: Net) -> dict[str, float]:
    """The loss weight of every top of `net` by its name; 0 for a top that is no loss."""
    return {top: weight for layer in net.layers for top, weight in zip(layer.param.top, layer.loss_weights)}
