"""Stochastic pooling over windows of any number of spatial axes (Zeiler and Fergus, ICLR 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import Array, RandomNumbers
from blobnet.ops.axes import Axis, Index, steps


class Windows:
    """Windows of fixed shapes: x (N, C, *spatial) -> out (N, C, *pooled), one `Axis` for each spatial axis.

    `steps` holds for each place of the kernel, in scan order, the out and the x positions that meet there.
    """

    def __init__(self, xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):
        self.xp, self.shape = xp, (num, channels, *(axis.out for axis in axes))
        self.steps: list[tuple[Index, Index]] = [((..., *out), (..., *inside)) for _, out, inside in steps(axes)]
        self.total = xp.zeros(self.shape, dtype)

    def add_up(self, x: Array) -> None:
        """total += the sum of each window."""
        for out, inside in self.steps:
            self.total[out] += x[inside]


class StochasticPool(Windows):
    """One value of each window, drawn with a probability proportional to it."""

    def __init__(self, xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):
        super().__init__(xp, dtype, num, channels, axes)
        self.won = xp.zeros(self.shape, np.min_scalar_type(len(self.steps)))  # 1 + the step drawn, 0: none

    def draw(self, random: RandomNumbers) -> None:
        """Take new random numbers, one a window."""
        self.draws = 1 - random.random(self.shape, dtype=self.xp.float32)  # in (0, 1]

    def forward(self, x: Array, out: Array) -> None:
        """out = of each window the first value in scan order at which the running sum reaches draw * sum.

        With negative values the running sum may never reach it: then 0 is drawn, and no gradient goes back.
        """
        running = self.total
        running.fill(0)
        self.add_up(x)
        wanted = running * self.draws.astype(running.dtype, copy=False)
        running.fill(0)
        self.won.fill(0)
        out.fill(0)
        for number, (place, inside) in enumerate(self.steps, 1):
            running[place] += x[inside]
            hit = (running[place] >= wanted[place]) & (self.won[place] == 0)
            self.xp.copyto(self.won[place], self.won.dtype.type(number), where=hit)
            self.xp.copyto(out[place], x[inside], where=hit)

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        """x_diff = the sum of the gradients of the windows, each added where the last forward drew its value."""
        x_diff.fill(0)
        for number, (place, inside) in enumerate(self.steps, 1):
            x_diff[inside] += top_diff[place] * (self.won[place] == number)


class ExpectedPool(Windows):
    """The mean of each window, each value weighted with the probability that it is drawn: sum of squares / sum."""

    def forward(self, x: Array, out: Array) -> None:
        """out = sum of x squared / sum of x; 0 where the sum of x is not above 0."""
        self.x = x
        self.total.fill(0)
        self.add_up(x)
        self.xp.copyto(self.total, np.inf, where=~(self.total > 0))
        out.fill(0)
        for place, inside in self.steps:
            out[place] += self.xp.square(x[inside])
        out /= self.total
        self.mean = out.copy()

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        """x_diff = sum over the windows of top_diff * (2 x - mean) / sum of x, where that sum is above 0."""
        slope = top_diff / self.total
        x_diff.fill(0)
        for place, inside in self.steps:
            x_diff[inside] += slope[place] * (2 * self.x[inside] - self.mean[place])
