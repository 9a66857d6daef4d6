"""The outputs of the tests of a training, test by test."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Series(NamedTuple):
    """An output, the iterations of its tests, ascending, and its value in each of them."""

    output: str
    iterations: list[int]
    values: list[float]


class Tested:
    """Remembers the outputs that are one number, from the beginning of a run on: snapshots hold them.

    Where a training was restored to an earlier iteration, what came after it is forgotten.

    >>> tested = Tested()
    >>> tested.add(0, [{"accuracy": np.array(0.25)}, {"accuracy": np.array(0.5)}])
    >>> tested["accuracy#1"]
    Series(output='accuracy#1', iterations=[0], values=[0.5])
    """

    def __init__(self, series: Iterable[Series] = ()):
        self._series = {one.output: one for one in series}

    def add(self, iteration: int, results: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Take the results of a test, outputs by name for every test net."""
        for _, iterations, values in self._series.values():
            kept = bisect_left(iterations, iteration)
            del iterations[kept:], values[kept:]
        for name, value in named(results).items():
            if value.size == 1:
                _, iterations, values = self._series.setdefault(name, Series(name, [], []))
                iterations.append(iteration)
                values.append(float(value.reshape(())))

    def series(self) -> list[Series]:
        """All of them, in the order of the outputs."""
        return list(self._series.values())

    def __getitem__(self, output: str) -> Series:
        """That of the output `output`; an empty one if there was no test."""
        return self._series.get(output, Series(output, [], []))


def named(results: Sequence[Mapping]) -> dict:
    """The outputs of all test nets by the names that the log has; #1 is added to those of the second net, and so on."""
    return {f"{name}#{number}" if number else name: value
            for number, outputs in enumerate(results) for name, value in outputs.items()}
