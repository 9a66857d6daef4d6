"""Triplets: which records of a labelled source make a batch of queries, positives and negatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.errors import DataError


class Triplets:
    """Batch n: queries, as many positives, as many negatives, drawn from the stream `random(n, 2)`.

    labels: class numbers (R,). A query is drawn from all records whose class has at least two records, its positive
    from the others of its class, its negative from the records of all other classes, each with equal chances.
    DataError at `where` if there are no such records.
    """

    def __init__(self, labels: np.ndarray, random: Callable[..., np.random.Generator], where: str):
        _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        self.order = np.argsort(classes, kind="stable")  # the records, class after class
        self.starts = np.repeat(np.cumsum(sizes) - sizes, sizes)  # of the class at each place of that order
        self.sizes = np.repeat(sizes, sizes)
        self.queries, self.random = np.flatnonzero(self.sizes > 1), random
        if len(sizes) < 2 or not len(self.queries):
            raise DataError(where, expected="records of two classes or more, and two of one of them",
                            got=f"{len(classes)} records of {len(sizes)} classes")

    def __call__(self, n: int, size: int) -> np.ndarray:
        """The numbers of the `size` records of batch `n`, `size` a multiple of 3."""
        rng = self.random(n, 2)
        places = self.queries[rng.integers(len(self.queries), size=size // 3)]
        starts, sizes = self.starts[places], self.sizes[places]
        positives = starts + (places - starts + rng.integers(1, sizes)) % sizes
        negatives = rng.integers(len(self.order) - sizes)
        negatives += sizes * (negatives >= starts)  # step over the query's class
        return self.order[np.concatenate([places, positives, negatives])]
