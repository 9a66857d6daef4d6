"""Terms: how one number of a layer was made, as a sum of products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Index = tuple[int, ...]
LISTED = 256  # products of a sum that are listed at most, the largest


class Place(NamedTuple):
    """A number among the blobs of a layer.

    kind: "bottom", "top" or "param"; number: which of them; which: "data" or "diff"; index: where in that array.
    """

    kind: str
    number: int
    which: str
    index: Index  # type: ignore[assignment]  # not that of tuples


class Factor(NamedTuple):
    """A number that is multiplied: it stands at `place`, or was made of what stands there, or in passing (no place).

    words: how it was made ("slope", "1 / N").
    """

    value: float
    place: Place | None = None
    words: str = ""


Term = tuple[Factor, ...]  # a product


class Terms(NamedTuple):
    """How the number at `place` was made.

    terms: products, whose sum it is together with `rest`, what is not listed; words: how, in a sentence; rest_words:
    what the rest is; unlisted: how many products it stands for.
    """

    place: Place
    terms: Sequence[Term]
    words: str = ""
    rest: float = 0.0
    rest_words: str = ""
    unlisted: int = 0

    @property
    def products(self) -> list[float]:
        """The values of the terms."""
        return [math.prod(factor.value for factor in term) for term in self.terms]

    @property
    def value(self) -> float:
        """What the terms and the rest add up to."""
        return math.fsum(self.products) + self.rest

    def shortened(self, most: int) -> Terms:
        """The same number by its `most` largest terms; the others are part of the rest."""
        products = np.array(self.products)
        listed = largest(products, most)
        if len(listed) == len(products):
            return self
        hidden = self.unlisted + len(products) - len(listed)
        return self._replace(terms=[self.terms[i] for i in listed], unlisted=hidden,
                             rest=self.value - math.fsum(products[listed]), rest_words=f"{hidden:,} smaller terms")


class Operand(NamedTuple):
    """Numbers of one array that are factors, one in each product of a sum.

    kind, number and which as of a Place; array: with the axes that `indices` (count, axes) has; shape: of the blob,
    which has the same numbers in the same order.
    """

    kind: str
    number: int
    which: str
    array: np.ndarray
    indices: np.ndarray
    shape: Sequence[int]

    @property
    def values(self) -> np.ndarray:
        return np.array(self.array[tuple(self.indices.T)], float)

    def factor(self, i: int) -> Factor:
        """The i-th of them."""
        index = tuple(self.indices[i])
        at = reindexed(index, self.array.shape, self.shape)
        return Factor(float(self.array[index]), Place(self.kind, self.number, self.which, at))


def sum_of_products(place: Place, blocks: Sequence[Sequence[Operand]], more: Sequence[Term] = (),
                    words: str = "") -> Terms:
    """The terms of sums of products: of each block of operands, of which the i-th numbers are multiplied; and `more`.

    Of many products the largest are listed.
    """
    products = [np.prod([operand.values for operand in block], axis=0) for block in blocks]
    everything = np.concatenate([*products, np.zeros(0)])
    listed = largest(everything)
    rest = np.delete(everything, listed)
    starts = np.cumsum([0, *map(len, products)])
    terms: list[Term] = []
    for i in listed:
        block = int(np.searchsorted(starts, i, "right")) - 1
        terms.append(tuple(operand.factor(int(i - starts[block])) for operand in blocks[block]))
    return Terms(place, [*terms, *more], words, math.fsum(rest), "smaller terms" if rest.size else "", rest.size)


def largest(products: np.ndarray, most: int = LISTED) -> np.ndarray:
    """The places, in their order, of the `most` largest of the products (N,) by size."""
    if products.size <= most:
        return np.arange(products.size)
    return np.sort(np.argpartition(-abs(products), most)[:most])


def index_of(flat: int | np.integer, shape: Sequence[int]) -> Index:
    """The index of the number that is the flat-th of an array of this shape, in row order."""
    return tuple(map(int, np.unravel_index(flat, tuple(shape)))) if len(shape) else ()


def reindexed(index: Sequence[int], shape: Sequence[int], into: Sequence[int]) -> Index:
    """The index in shape `into` of the number at an index of `shape`, where both hold the same numbers in one order.

    >>> reindexed((1, 5), (2, 6), (2, 2, 3))
    (1, 1, 2)
    """
    return index_of(np.ravel_multi_index(tuple(index), tuple(shape)) if len(shape) else 0, into)


def grid(*axes: Sequence[Sequence[int]]) -> np.ndarray:
    """Every combination of a row of each axis, the rows one behind the other, as an integer array.

    All rows have the same length.

    >>> grid([(1, 2), (3, 4)], [(5, 6)]).tolist()
    [[1, 2, 5, 6], [3, 4, 5, 6]]
    >>> grid([(1, 2)], []).shape
    (0, 4)
    """
    width = max(len(row) for axis in axes for row in axis)
    tables = [np.asarray(axis, int).reshape(len(axis), width) for axis in axes]
    chosen = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
    return np.concatenate([table[rows] for table, rows in zip(tables, chosen)], axis=1)
