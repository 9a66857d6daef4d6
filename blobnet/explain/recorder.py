"""Recorder: a watcher of a solver that keeps what a training does."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.explain.curves import Curve, Series, Training
from blobnet.explain.seen import rms
from blobnet.solvers.solver import Solver

POINTS = 1000  # of a curve, at most


class Recorder:
    """Fills in `training` while `solver` makes `steps` iterations; `finish` must be called afterwards.

    chosen: the iterations before which frame(iteration) is called, and test nets run for `test_batches` batches.
    """

    def __init__(self, solver: Solver, steps: int, chosen: Collection[int], frame: Callable[[int], Any],
                 test_batches: int):
        self.solver, self.chosen, self.frame, self.test_batches = solver, chosen, frame, test_batches
        self.first, self.measured = solver.iter, {*chosen, solver.iter + steps - 1}
        self.every = 1 if steps <= POINTS else -(-steps // (POINTS - 1))
        self.training = training = Training()
        for it in solver.net.parameters:
            for series in (training.gradient_norms, training.update_ratios):
                series.append(Series(it.layer.index, it.index, f"{it.layer.name} param {it.index}"))
        self.noted = 0                                             # at how many steps norms and ratios were
        self.unknown = [math.nan] * len(solver.net.parameters)
        self.norms = self.ratios = self.before = self.unknown      # before: sizes of the values before the update
        self.left_out: list[tuple[Curve, tuple[int, float]]] = []  # points of the last iteration that are in no curve

    # The events of a solver.

    def before_iteration(self, iteration: int) -> None:
        if iteration in self.chosen:
            self._take(iteration)

    def gradients_ready(self, iteration: int, loss: float) -> None:
        self.norms = self.ratios = self.unknown
        if iteration in self.measured:
            size, parameters = self.solver.param.iter_size, self.solver.net.parameters
            self.norms = [rms(to_host(it.blob.diff)) * math.sqrt(it.blob.count) / size for it in parameters]
            self.before = [rms(to_host(it.blob.data)) for it in parameters]
        self.left_out = []
        self._add(self.training.loss, iteration, loss)
        for name, value in single_numbers(self.solver.net).items():
            self._add(self.training.outputs.setdefault(name, []), iteration, value)

    def after_update(self, updates: int, rate: float) -> None:
        iteration = updates - 1
        self._add(self.training.rate, iteration, rate)
        if iteration in self.measured:  # the diffs hold the update, as it was subtracted
            changes = [rms(to_host(it.blob.diff)) for it in self.solver.net.parameters]
            self.ratios = [change / size if size else math.nan for change, size in zip(changes, self.before)]
        if iteration in self.chosen:
            self._note_sizes()

    def finish(self) -> None:
        """Take the last frame, and the last points."""
        for curve, point in self.left_out:
            curve.append(point)
        if self.solver.iter not in self.training.steps:
            self._take(self.solver.iter)
        for _ in range(len(self.training.steps) - self.noted):
            self._note_sizes()

    def _add(self, curve: Curve, iteration: int, value: float) -> None:
        point = iteration, float(value)
        if (iteration - self.first) % self.every == 0:
            curve.append(point)
        else:
            self.left_out.append((curve, point))

    def _note_sizes(self) -> None:
        self.noted += 1
        for series, values in ((self.training.gradient_norms, self.norms), (self.training.update_ratios, self.ratios)):
            for one, value in zip(series, values, strict=True):
                one.values.append(value)

    def _take(self, iteration: int) -> None:
        self.training.steps.append(iteration)
        self.training.frames.append(self.frame(iteration))
        for k, (net, batches) in enumerate(zip(self.solver.test_nets, self.solver.param.test_iter)):
            for name, value in test(net, min(batches, self.test_batches)).items():
                curve = self.training.tests.setdefault(f"{name} #{k}" if k else name, [])
                curve.append((iteration, value))


def single_numbers(net: Net) -> dict[str, float]:
    """The outputs of `net` that are a single number, by name."""
    return {name: float(net.blobs[name].data.sum()) for name in net.outputs if net.blobs[name].count == 1}


def test(net: Net, batches: int) -> dict[str, float]:
    """The means of the single numbers that `net` gives for its first `batches` batches; it stays where it stood."""
    step, sums = net.context.step, dict[str, float]()
    net.seek(0)
    for _ in range(batches):
        net.forward()
        for name, value in single_numbers(net).items():
            sums[name] = sums.get(name, 0.0) + value / batches
    net.seek(step)
    return sums
