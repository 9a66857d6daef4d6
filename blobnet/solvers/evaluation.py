"""Tests during training: the mean outputs of a test net, or the mean average precision of its detections."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.errors import ShapeError
from blobnet.log.outputs import output_lines
from blobnet.solvers.average_precision import average_precisions
from blobnet.solvers.finite import check_means
from blobnet.solvers.passes import Passes

log = logging.getLogger(__name__)


class MeanOutputs:
    """What a test makes of the outputs of its batches: their means."""

    def __init__(self):
        self.sums: dict[str, np.ndarray] = {}

    def add(self, name: str, value: np.ndarray) -> None:
        """Take the output `name` of one more batch."""
        add_output(self.sums, name, value)

    def results(self, batches: int) -> dict[str, np.ndarray]:
        """The means over the batches, by name."""
        return {name: to_host(total / batches) for name, total in self.sums.items()}


class MeanAveragePrecision:
    """What a test of the eval_type detection makes of them: of outputs that DetectionEvaluate gave, the mAP.

    version: see `average_precision`; `log_classes`: whether the average precision of every class is logged.
    """

    def __init__(self, version: str, log_classes: bool = False):
        self.version, self.log_classes = version, log_classes
        self.rows: dict[str, list[np.ndarray]] = {}

    def add(self, name: str, value: np.ndarray) -> None:
        """Take the output `name` of one more batch; ShapeError unless it has rows of 5."""
        if value.shape[-1:] != (5,):
            raise ShapeError(f"output {name!r}", expected="rows of 5, as DetectionEvaluate gives", got=value.shape,
                             hint='eval_type: "detection" scores every output of a test net; silence the others')
        self.rows.setdefault(name, []).append(np.array(to_host(value)).reshape(-1, 5))

    def results(self, batches: int) -> dict[str, np.ndarray]:
        """The mAP of every output, by name."""
        means = {}
        for name, rows in self.rows.items():
            found = average_precisions(np.concatenate(rows), self.version)
            for label, value in found.items() if self.log_classes else ():
                log.info("class%d: %g", label, value)
            means[name] = np.array(sum(found.values()) / max(len(found), 1))
        return means


def outputs_of(solver: Message) -> MeanOutputs | MeanAveragePrecision:
    """What the eval_type of the SolverParameter `solver` asks for."""
    if solver.eval_type == "detection":
        return MeanAveragePrecision(solver.ap_version, solver.show_per_class_result)
    return MeanOutputs()


def evaluate(net: Net, batches: int, outputs: MeanOutputs | MeanAveragePrecision, number: int, iteration: int,
             where: str, goes_on: Callable[[], bool], show_loss: bool = False, allow_nan: bool = False
             ) -> dict[str, np.ndarray]:
    """What `outputs`, fresh ones, make of the outputs of `net` over `batches` forward passes, by name, which is logged.

    number: that of the test net; iteration: that of the training; where: the solver file. `goes_on` is called before
    every batch: if it says no, the test ends and its result is {}. `show_loss` logs the mean loss too. SolverError for
    a loss or a mean that is not finite, unless `allow_nan`.
    """
    log.info("Iteration %d, Testing net (#%d)", iteration, number)
    passes = Passes(net, where, allow_nan, name=f"the loss of test net #{number}")
    for _ in range(batches):
        if not goes_on():
            log.info("Test interrupted.")
            passes.begin()
            return {}
        for name, value in net.forward().items():
            outputs.add(name, value)
        passes.keep(iteration)
    losses = passes.read()
    if show_loss and batches > 0:
        log.info("Test loss: %g", sum(loss for _, loss in losses) / batches)
    means = outputs.results(batches)
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
                         got=value.shape, hint='outputs are averaged over the batches; eval_type: "detection" in the '
                                               "solver scores detections")
    total += value.reshape(total.shape)


def loss_weights(net: Net) -> dict[str, float]:
    """The loss weight of every top of `net` by its name; 0 for a top that is no loss."""
    return {top: weight for layer in net.layers for top, weight in zip(layer.param.top, layer.loss_weights)}
