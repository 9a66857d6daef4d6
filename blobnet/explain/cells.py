"""Numbers that are worked out ahead, with their terms, and the difference that proves a diff."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from blobnet.check.differences import STEP
from blobnet.check.standalone import Standalone
from blobnet.core.terms import Factor, Place, Terms
from blobnet.explain.seen import rms

ALL = 32       # numbers: of so small an array all are worked out
SOME = 12      # of larger ones, where the page has no arithmetic of its own
FEW = 3        # where it has, beside those it can do
LISTED = 16    # terms of a number that are written down
COSTLY = 3e7   # multiply-adds and numbers of a forward, above which only few cells are worked out
ROUGH = 1e-2   # the step of differences in float32
DIFFERENCES = 1e9  # such, of all forwards for differences


def cells(alone: Standalone, diffs: Sequence[np.ndarray | None], param_diffs: Sequence[np.ndarray],
          seed: int = 0) -> list[dict[str, Any]]:
    """Numbers of the tops' data, of the bottoms' diffs and of the parameters', as the page wants them.

    alone: a layer after its forward, with the diffs of its tops; diffs and param_diffs: what its backward wrote, None
    for bottoms that get no gradient. Of every array the largest number is there, and some drawn with `seed`.
    """
    layer, rng, price = alone.layer, np.random.default_rng(seed), cost(alone)
    most = FEW if layer.arithmetic() else SOME
    all_of, most = (ALL, most) if price < COSTLY else (FEW, 2)
    found = []
    tops = [blob.data.copy() for blob in alone.top]
    top_diffs = [blob.diff.copy() for blob in alone.top]
    for kind, which, arrays in (("top", "data", tops), ("bottom", "diff", diffs), ("param", "diff", param_diffs)):
        for number, values in enumerate(arrays):
            for index in _chosen(values, all_of, most, rng):
                place = Place(kind, number, which, index)
                found.append(cell(layer.terms(place, alone.bottom, alone.top), float(values[index])))
    slopes = [item for item in found if item["place"][2] == "diff"]
    for item in slopes[:max(1, int(DIFFERENCES / price))]:  # last: their forwards change what the layer keeps
        kind, number, which, index = item["place"]
        item["numeric"] = difference(alone, Place(kind, number, which, tuple(index)), top_diffs)
    return found


def cost(alone: Standalone) -> int:
    """What a forward takes: multiply-adds, and the numbers of bottoms and tops."""
    blobs = [*alone.bottom, *alone.top]
    return alone.layer.multiply_adds(alone.bottom, alone.top) + sum(blob.count for blob in blobs)


def cell(terms: Terms, value: float) -> dict[str, Any]:
    """A worked number as JSON; of many terms the largest are listed, and the others are part of the rest."""
    short = terms.shortened(LISTED)
    return {"place": _place(terms.place), "value": value, "count": len(short.terms) + short.unlisted,
            "words": terms.words, "terms": [[_factor(factor) for factor in term] for term in short.terms],
            "rest": short.rest, "rest_words": short.rest_words if abs(short.rest) > 1e-12 * abs(value) else "",
            "numeric": None}


def difference(alone: Standalone, place: Place, top_diffs: Sequence[np.ndarray]) -> float:
    """The central difference of the sum of dy * y by the number whose diff is at `place`: what that diff should be."""
    array = (alone.values if place.kind == "bottom" else alone.parameters)[place.number]
    start = array[place.index]
    step = (STEP if array.dtype == np.float64 else ROUGH) * (rms(array) or 1.0)
    ends = []
    for sign in (1, -1):
        array[place.index] = start + sign * step
        ends.append(math.fsum(float((dy * y).sum()) for dy, y in zip(top_diffs, alone.forward())))
    array[place.index] = start
    return (ends[0] - ends[1]) / (2 * step)


def _chosen(values: np.ndarray | None, all_of: int, most: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    if values is None or not values.size:
        return
    flat: Sequence[int] = range(values.size)
    if values.size > all_of:
        flat = list(dict.fromkeys([int(np.argmax(abs(values))), *map(int, rng.integers(values.size, size=most))]))
    for i in flat:
        yield tuple(map(int, np.unravel_index(i, values.shape)))


def _place(place: Place | None) -> list | None:
    return None if place is None else [place.kind, place.number, place.which, list(place.index)]


def _factor(factor: Factor) -> list:
    return [factor.value, _place(factor.place), factor.words]
