"""The terms of a layer that says nothing of them: local slopes, which its backward tells for one number at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.terms import Factor, Place, Terms, index_of

LISTED = 64      # terms that are listed, the largest; and numbers of the tops that are tried one by one
WORK = 500_000  # numbers of the tops, above which fewer are tried: each takes a backward
FEWEST = 4
STEP = 1e-3      # in parts of the root mean square of a blob: how far a number is moved to see what it reaches
AS_COMPUTED = "as forward computes it"
SLOPE = "slope"
CURVED = "what is not in proportion to x"
SMALLER = "smaller terms"


def terms_by_slopes(layer: Any, place: Place, bottom: Sequence[Blob], top: Sequence[Blob]) -> Terms:
    """The terms of any layer, after its forward; `Layer.terms` says what is given.

    A number of a top is the slopes times the numbers of the bottoms, and a rest where the layer is no plain product. A
    diff is the diffs of the tops that it reaches, times their slopes: which those are, a small step tells.
    """
    parts = _Parts(layer, bottom, top)
    return _forward(parts, place) if place.kind == "top" else _backward(parts, place)


class _Parts:
    """A layer with its blobs, of which it can be asked for slopes."""

    def __init__(self, layer: Any, bottom: Sequence[Blob], top: Sequence[Blob]):
        self.layer, self.bottom, self.top = layer, bottom, top
        self.wanted = layer.differentiable(len(bottom))

    def blob(self, place: Place) -> Blob:
        return {"bottom": self.bottom, "top": self.top, "param": self.layer.blobs}[place.kind][place.number]

    def read(self, place: Place) -> float:
        return float(getattr(self.blob(place), place.which)[place.index])

    @contextlib.contextmanager
    def spare_diffs(self) -> Iterator[None]:
        """All diffs are as before after the block; in it those of the parameters begin at 0."""
        blobs = [*self.top, *self.bottom, *self.layer.blobs]
        kept = [blob.diff.copy() for blob in blobs]
        try:
            for blob in self.layer.blobs:
                blob.diff.fill(0)
            yield
        finally:
            for blob, diff in zip(blobs, kept):
                blob.diff[...] = diff

    def forward(self) -> None:
        self.layer.seek(self.layer.context.step)  # where a state is kept, it is again the one before
        self.layer.forward(self.bottom, self.top)

    def backward(self) -> None:
        for blob in self.layer.blobs:
            blob.diff.fill(0)
        self.layer.backward(self.top, self.wanted, self.bottom)

    def one_hot(self, place: Place) -> None:
        """Backward from 1 at `place` of a top alone."""
        for blob in self.top:
            blob.diff.fill(0)
        self.blob(place).diff[place.index] = 1
        self.backward()


def _forward(parts: _Parts, place: Place) -> Terms:
    value = parts.read(place)
    if not any(parts.wanted):
        return Terms(place, [(Factor(value, None, AS_COMPUTED),)])
    found = []
    with parts.spare_diffs():
        parts.one_hot(place)
        for i, blob in enumerate(parts.bottom):
            if parts.wanted[i]:
                slopes, x = to_host(blob.diff), to_host(blob.data)
                for index in _largest(slopes * x, slopes != 0):
                    at = Place("bottom", i, "data", index)
                    found.append((Factor(float(slopes[index]), None, SLOPE), Factor(float(x[index]), at)))
    terms = Terms(place, found)
    return terms._replace(rest=value - terms.value, rest_words=CURVED)


def _backward(parts: _Parts, place: Place) -> Terms:
    with parts.spare_diffs():
        parts.backward()
        value = parts.read(place)
    found = []
    reached = _reached(parts, place)
    with parts.spare_diffs():
        diffs = [to_host(blob.diff).copy() for blob in parts.top]
        for at in reached:
            parts.one_hot(at)
            found.append((Factor(float(diffs[at.number][at.index]), at), Factor(parts.read(place), None, SLOPE)))
    terms = Terms(place, [term for term in found if term[1].value])
    return terms._replace(rest=value - terms.value, rest_words=SMALLER)


def _reached(parts: _Parts, place: Place) -> list[Place]:
    """The numbers of the tops through which the number at `place` has its largest effects on the loss."""
    effects = [to_host(blob.diff).copy() for blob in parts.top]
    if sum(int(np.count_nonzero(effect)) for effect in effects) > LISTED:
        effects = [effect * change for effect, change in zip(effects, _changes(parts, place))]
    ranked = [(abs(effect[index]), t, index) for t, effect in enumerate(effects)
              for index in _largest(effect, effect != 0)]
    most = max(FEWEST, min(LISTED, WORK // max(1, sum(blob.count for blob in parts.top))))
    return [Place("top", t, "diff", index) for _, t, index in sorted(ranked, reverse=True)[:most]]


def _changes(parts: _Parts, place: Place) -> list[np.ndarray]:
    """How much the tops change when the number at `place` is moved a little."""
    data = parts.blob(place).data
    start, step = float(data[place.index]), STEP * (float((data ** 2).mean()) ** 0.5 or 1.0)
    ends = []
    try:
        for value in (start + step, start - step):
            data[place.index] = value
            parts.forward()
            ends.append([to_host(blob.data).copy() for blob in parts.top])
    finally:
        data[place.index] = start
        parts.forward()
    return [ahead - behind for ahead, behind in zip(*ends)]


def _largest(values: np.ndarray, among: np.ndarray) -> list[tuple[int, ...]]:
    """The indices of the largest of some values by size, at most LISTED."""
    flat = np.flatnonzero(among)
    order = flat[np.argsort(-abs(values.reshape(-1)[flat]), kind="stable")[:LISTED]]
    return [index_of(i, values.shape) for i in order]
