"""The losses of a training, so many of them that a curve is worth looking at, and no more."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

import numpy as np


class Losses:
    """Remembers the losses of a training, those of the iterations that are multiples of `every`, and the last one.

    As soon as there are more than `most`, `every` doubles and those between are dropped. Where a training was restored
    to an earlier iteration, what came after it is forgotten. The newest 1000 are all there as well: `last`.

    >>> losses = Losses(most=4)
    >>> for iteration in range(8):
    ...     losses.add(iteration, 1 / (1 + iteration))
    >>> losses.every, losses.points()[0].tolist()
    (2, [0, 2, 4, 6, 7])
    """

    def __init__(self, most: int = 2000):
        self.most, self.every = most, 1
        self._iterations: list[int] = []
        self._values: list[float] = []
        self._last = (-1, 0.0)
        self._newest: deque[tuple[int, float]] = deque(maxlen=1000)

    def __len__(self) -> int:
        return len(self.points()[0])

    def add(self, iteration: int, loss: float) -> None:
        """Take the loss of an iteration."""
        if iteration <= self._last[0]:
            kept = bisect_left(self._iterations, iteration)
            del self._iterations[kept:], self._values[kept:]
            while self._newest and self._newest[-1][0] >= iteration:
                self._newest.pop()
        self._last = iteration, loss
        self._newest.append(self._last)
        if iteration % self.every:
            return
        self._iterations.append(iteration)
        self._values.append(loss)
        if len(self._iterations) > self.most:
            self._thin()

    def _thin(self) -> None:
        self.every *= 2
        kept = [i for i, iteration in enumerate(self._iterations) if iteration % self.every == 0]
        self._iterations = [self._iterations[i] for i in kept]
        self._values = [self._values[i] for i in kept]

    def last(self, count: int) -> list[float]:
        """Those of the last `count` iterations, of which at most 1000 are remembered."""
        return [loss for _, loss in self._newest][max(0, len(self._newest) - count):]

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """(iterations, losses), each (n,), ascending; float64 losses, which need not be finite."""
        iterations, values = [*self._iterations], [*self._values]
        if self._last[0] >= 0 and self._last[0] not in iterations[-1:]:
            iterations.append(self._last[0])
            values.append(self._last[1])
        return np.array(iterations, np.int64), np.array(values, np.float64)
