"""ClassDraws: which records make a batch when classes are drawn first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.errors import NetError


class ClassDraws:
    """Batch n: `classes` distinct classes drawn from the stream `random(n, 2)`, and as many records of each.

    labels: class numbers (N,); or rows (N, L) of 0 and 1, where a class is a column that has a 1, and its records are
    those with a 1 in it. The records of a class stand together, in the order in which the classes were drawn; where
    the size is no multiple of `classes`, those drawn first have one more. No record of a class comes twice before all
    of them have come. A record with several labels may come once for each of them.
    NetError at `where` for more classes than the labels have.
    """

    def __init__(self, labels: np.ndarray, classes: int, random: Callable[..., np.random.Generator], where: str):
        members = (labels == label for label in np.unique(labels)) if labels.ndim == 1 else labels.T
        self.records = [records for records in map(np.flatnonzero, members) if len(records)]
        if classes > len(self.records):
            raise NetError(where, expected=f"cat_per_iter of at most {len(self.records)}, the number of classes",
                           got=classes)
        self.classes, self.random = classes, random

    def __call__(self, n: int, size: int) -> np.ndarray:
        """The numbers of the `size` records of batch `n`."""
        rng = self.random(n, 2)
        share, rest = divmod(size, self.classes)
        drawn = rng.choice(len(self.records), self.classes, replace=False)
        return np.concatenate([_draw(self.records[label], share + (place < rest), rng)
                               for place, label in enumerate(drawn)])


def _draw(records: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` of `records` in a random order; if there are fewer, all of them again and again, each time reordered."""
    rounds = -(-count // len(records))
    return np.concatenate([records[:0], *(rng.permutation(records) for _ in range(rounds))])[:count]
