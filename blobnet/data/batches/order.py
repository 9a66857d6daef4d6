"""The order in which records are read, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Streams = Callable[..., np.random.Generator]


class Shuffles:
    """A permutation for each key, drawn from the stream `random(*key)`. The last one is kept."""

    def __init__(self, random: Streams):
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


class Run:
    """The records of batch n, `size` of them, in an endless run through a list of `count`.

    With `shuffle`, epoch e has the order of `random(e, 0)`; the run starts at a place below `rand_skip`, which comes
    from `random(0, 1)`.
    """

    def __init__(self, count: int, size: int, random: Streams, shuffle: bool = False, rand_skip: int = 0):
        self.size, self.random, self.rand_skip = size, random, rand_skip
        self.order = Order(count, Shuffles(random) if shuffle else None)

    def __call__(self, n: int, count: int | None = None) -> np.ndarray:
        """The numbers of the first `count` records of batch `n`, or of all.

        >>> Run(3, 2, np.random.default_rng)(2).tolist()
        [1, 2]
        """
        skipped = int(self.random(0, 1).integers(self.rand_skip)) if self.rand_skip else 0
        return self.order(skipped + n * self.size, self.size if count is None else count)
