"""Training in several processes: each computes the gradients of its own part of the batch, and all update alike.

The gradients of all processes are averaged before they are clipped and used, so N processes with a batch_size of B
make the iterations of one process with N * B: the parameters are the same to rounding, and in all processes the same
bit for bit. That holds where the loss is a mean over the images of a batch. A loss over pairs of them sees its own
process's part, as in Caffe, unless a Gather layer before it brings the parts together; normalization: VALID with an
ignore_label divides by the labels that count in all parts. BatchNorm takes the statistics of its own part, as Caffe's,
unless across_processes is set; snapshots keep the running sums of process 0.

Data layers read on alike: batch number n of process r is the batch n * N + r. Fillers draw the same numbers everywhere,
Dropout in every process its own. Process 0 tests, displays means over all, and writes snapshots. A stop or snapshot
that any process is asked for happens in all after the same iteration.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from blobnet.backend import Processes
from blobnet.core.net import Net

log = logging.getLogger(__name__)


class Together:
    """What a solver does together with the solvers of the other `processes`.

    size: how many there are; first: whether this is process 0, which speaks and writes for all.
    """

    def __init__(self, processes: Processes):
        self.processes, self.size, self.first = processes, processes.size, processes.rank == 0

    def begin(self, net: Net) -> None:
        """Let all have the parameters of process 0."""
        if self.size > 1:
            for parameter in net.parameters:
                self.processes.spread(parameter.blob.data)

    def average(self, net: Net) -> None:
        """Let the diffs of the parameters be the means over all processes."""
        if self.size == 1:
            return
        whole = net.param_diffs.whole()
        for diff in [parameter.blob.diff for parameter in net.parameters] if whole is None else [whole]:
            self.processes.add(diff)
            diff /= self.size

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """Let an error of the block end all: the others raise it as a ProcessError."""
        try:
            yield
        except BaseException as error:
            self.processes.fail(error)
            raise

    def compare(self, before: int, path: str | os.PathLike) -> None:
        """Say what changes where a snapshot was written by another number of processes."""
        if before != self.size:
            log.warning("%s was written by %d process%s, and %d go%s on: the global batch is another, and so is the "
                        "order of the images from here on", path, before, "es" * (before > 1), self.size,
                        "es" * (self.size == 1))
