"""The terms of pooling: which numbers a window saw, and which windows saw a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.terms import Factor, Index, Place, Term, Terms
from blobnet.ops.axes import Axis


class Spans(NamedTuple):
    """For each spatial axis, a list with one number a window: its first place in x, the one past its last, and its size
    as the divisor of an average counts it. An empty window ends where it starts."""

    starts: list[list[int]]
    stops: list[list[int]]
    divisors: list[list[int]]


def spans(axes: Sequence[Axis]) -> Spans:
    """Where the windows lie."""
    found = Spans([], [], [])
    for size, out, taps, stride, _, pad in axes:
        places = [(p * stride - pad, min(p * stride - pad + taps, size + pad)) for p in range(out)]
        found.starts.append([min(max(start, 0), size) for start, _ in places])
        found.stops.append([max(min(stop, size), min(max(start, 0), size)) for start, stop in places])
        found.divisors.append([stop - start for start, stop in places])
    return found


class PoolTerms(Layer):
    """What layers explain by `method` and `axes`."""

    method: str
    axes: Sequence[Axis]

    def terms(self, place, bottom, top):
        if self.method == "STOCHASTIC" or place.number:
            return super().terms(place, bottom, top)
        return pool_terms(self.method, spans(self.axes), place, bottom, top)

    def arithmetic(self):
        if self.method == "STOCHASTIC":
            return None
        return {"kind": "pool", "method": self.method, **spans(self.axes)._asdict()}


def pool_terms(method: str, spans: Spans, place: Place, bottom, top) -> Terms:
    """The terms of MAX or AVE: one number of the first top's data or of the bottom's diff."""
    x, (n, c, *at) = bottom[0].data, place.index
    found: list[Term]
    if place.kind == "top":
        window = [(n, c, *h) for h in _window(spans, at)]
        if method == "AVE":
            part = 1 / _divisor(spans, at)
            found = [(Factor(float(x[h]), Place("bottom", 0, "data", h)), Factor(part, None, "1 / window"))
                     for h in window]
            return Terms(place, found, "the average of the window")
        if not window:
            return Terms(place, [(Factor(float(top[0].data[place.index]), None, "an empty window"),)])
        best = _winner(x, window)
        found = [(Factor(float(x[best]), Place("bottom", 0, "data", best)),)]
        return Terms(place, found, f"the largest of {len(window)} numbers")
    found = []
    for p in _reached(spans, at):
        dy = Factor(float(top[0].diff[(n, c, *p)]), Place("top", 0, "diff", (n, c, *p)))
        if method == "AVE":
            found.append((dy, Factor(1 / _divisor(spans, p), None, "1 / window")))
        elif _winner(x, [(n, c, *h) for h in _window(spans, p)]) == place.index:
            found.append((dy,))
    return Terms(place, found, "the share in each window" if method == "AVE" else "the windows whose maximum it is")


def _window(spans: Spans, p: Sequence[int]) -> Iterator[Index]:
    return product(*(range(starts[i], stops[i]) for starts, stops, i in zip(spans.starts, spans.stops, p)))


def _divisor(spans: Spans, p: Sequence[int]) -> int:
    return prod(sizes[i] for sizes, i in zip(spans.divisors, p))


def _winner(x, window: Sequence[Index]) -> Index:
    """The first of the largest."""
    return window[int(np.argmax([float(x[h]) for h in window]))]


def _reached(spans: Spans, h: Sequence[int]) -> Iterator[Index]:
    """The windows that hold h."""
    return product(*([p for p, (start, stop) in enumerate(zip(starts, stops)) if start <= i < stop]
                     for starts, stops, i in zip(spans.starts, spans.stops, h)))
