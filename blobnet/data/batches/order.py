"""The order in which records are read, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Shuffles:
    """A permutation for each key, drawn from the stream `random(*key)`. The last one is kept."""

    def __init__(self, random: Callable[..., np.random.Generator]):
        self.random = random
        self._last: tuple = ()

    def __call__(self, count: int, *key: int) -> np.ndarray:
        """The permutation of range(count) for `key`."""
        rng = self.random(*key)
        sign = count, key, int(rng.integers(1 << 62))  # the number tells a new seed, which a restored run may bring
        if self._last[:1] != (sign,):
            self._last = sign, rng.permutation(count)
        return self._last[1]


class Order:
    """Which of `count` records stands at which place of an endless run through them.

    With `shuffles`, epoch e has the permutation of the key (e, 0); without, the records keep their order.
    """

    def __init__(self, count: int, shuffles: Shuffles | None = None):
        self.count, self.shuffles = count, shuffles

    def __call__(self, start: int, size: int) -> np.ndarray:
        """The numbers of the records at the places start … start + size - 1.

        >>> Order(3)(4, 4).tolist()
        [1, 2, 0, 1]
        """
        epochs, records = np.divmod(np.arange(start, start + size), self.count)
        if self.shuffles is not None:
            for epoch in np.unique(epochs).tolist():
                inside = epochs == epoch
                records[inside] = self.shuffles(self.count, epoch, 0)[records[inside]]
        return records
