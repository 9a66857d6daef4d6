"""What a training logs every `display` iterations: the loss, the outputs, the speed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

import numpy as np

from blobnet.log.loggers import iterations
from blobnet.log.outputs import output_lines


class Display:
    """Smooths the loss over the last `average` iterations, and writes the lines of an iteration."""

    def __init__(self, average: int):
        self._losses: deque[float] = deque(maxlen=average)
        self._last, self._time = 0, 0.0  # iteration and time of the last lines
        self._ended = -1, 0.0  # iteration and time at which a step ended

    def begin(self, iteration: int) -> None:
        """A step begins at `iteration`: the losses before it do not count, nor does the time since the step before."""
        self._losses.clear()
        ended, then = self._ended
        now = time.perf_counter()
        if iteration == ended:
            self._time += now - then
        else:
            self._last, self._time = iteration, now

    def end(self, iteration: int) -> None:
        """The step is over, and a next one at `iteration` goes on."""
        self._ended = iteration, time.perf_counter()

    def smooth(self, loss: float) -> float:
        """The mean of the last losses, with `loss` as the newest."""
        self._losses.append(loss)
        return sum(self._losses) / len(self._losses)

    def show(self, iteration: int, interval: int, loss: float, outputs: Mapping[str, np.ndarray],
             weights: Mapping[str, float]) -> None:
        """Log the smoothed `loss` of `iteration`, the speed since the last lines, and all `outputs`, arrays by name.

        interval: the solver's `display`; weights: the loss weights of outputs by name.
        """
        now = time.perf_counter()
        iterations.info("Iteration %d (%g iter/s, %gs/%d iters), loss = %g", iteration,
                        (iteration - self._last) / (now - self._time), now - self._time, interval, loss)
        self._last, self._time = iteration, now
        for line in output_lines("Train", outputs, weights):
            iterations.info("%s", line)
