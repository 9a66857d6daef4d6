"""Terms: how one number of a layer was made, as a sum of products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """A number among the blobs of a layer.

    kind: "bottom", "top" or "param"; number: which of them; which: "data" or "diff"; index: where in that array.
    """

    kind: str
    number: int
    which: str
    index: tuple[int, ...]  # type: ignore[assignment]  # not that of tuples


class Factor(NamedTuple):
    """A number that is multiplied: it stands at `place`, or was made in passing, as `words` say ("slope", "1 / N")."""

    value: float
    place: Place | None = None
    words: str = ""


Term = tuple[Factor, ...]  # a product


class Terms(NamedTuple):
    """How the number at `place` was made.

    terms: products, whose sum it is together with `rest`, what is not listed; words: how, in a sentence; rest_words:
    what the rest is.
    """

    place: Place
    terms: Sequence[Term]
    words: str = ""
    rest: float = 0.0
    rest_words: str = ""

    @property
    def value(self) -> float:
        """What the terms and the rest add up to."""
        return math.fsum([math.prod(factor.value for factor in term) for term in self.terms]) + self.rest
