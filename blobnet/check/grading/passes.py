"""One forward and one backward of a layer, and where a number of them stands in the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

from blobnet.check.standalone import Standalone, standalone
from blobnet.core.context import TRAIN

SMALL = 1e-3  # errors are relative to no less
EXACT = 1e-9  # of the largest number: what two ways to compute the same may differ by


class Spot(NamedTuple):
    """One array that a layer writes: the data of a top, the diff of a bottom or of a parameter; "state" is the data of
    a parameter that forward changes, as running sums."""

    kind: str
    number: int

    def __str__(self) -> str:
        return {"top": "top[{}].data", "bottom": "bottom[{}].diff", "param": "self.blobs[{}].diff",
                "state": "self.blobs[{}].data"}[self.kind].format(self.number)

    @property
    def of_forward(self) -> bool:
        """Whether forward writes it, and not backward."""
        return self.kind in ("top", "state")

    def at(self, index: Sequence[int]) -> str:
        """An element of it, as the code writes it."""
        return f"{self}[{', '.join(map(str, index))}]" if len(index) else f"{self}"


class Pass(NamedTuple):
    """Copies of all that a forward and a backward wrote."""

    top: list[np.ndarray]
    bottom: list[np.ndarray]
    param: list[np.ndarray]
    state: list[np.ndarray]

    def at(self, spot: Spot) -> np.ndarray:
        """The array of a spot; an empty one if the layer has no such."""
        arrays = getattr(self, spot.kind)
        return arrays[spot.number] if spot.number < len(arrays) else np.empty(0)


def build(param: Message, values: Sequence[np.ndarray], parameters: Sequence[np.ndarray] = (),
          phase: int = TRAIN) -> Standalone:
    """The layer with these values, and with these parameters where it has ones of their shapes."""
    alone = standalone(param, *values, phase=phase)
    for own, given in zip(alone.parameters, parameters):
        if own.shape == given.shape:
            own[...] = given
    return alone


def forward(alone: Standalone, mark: float = 0.0) -> list[np.ndarray]:
    """Copies of the tops after a forward that found `mark` in them."""
    alone.prepare()
    for blob in alone.top:
        blob.data.fill(mark)
    alone.layer.forward(alone.bottom, alone.top)
    return [blob.data.copy() for blob in alone.top]


def run(alone: Standalone, dy: Sequence[np.ndarray], wanted: Sequence[bool], mark: float = 0.0,
        between: Callable[[Standalone], None] | None = None) -> Pass:
    """Forward and backward, which find `mark` in everything that they write; `between` both this is called."""
    tops, state = forward(alone, mark), parameters_of(alone)
    if between:
        between(alone)
    for blob in [*alone.bottom, *alone.layer.blobs]:
        blob.diff.fill(mark)
    diffs = alone.backward(dy, wanted)
    return Pass(tops, diffs, [blob.diff.copy() for blob in alone.layer.blobs], state)


def parameters_of(alone: Standalone) -> list[np.ndarray]:
    """Copies of what stands in the parameters now."""
    return [blob.data.copy() for blob in alone.layer.blobs]


def same(a: np.ndarray, b: np.ndarray, rtol: float = EXACT) -> bool:
    """Whether two arrays are equal but for rounding, relative to the largest number of `b`."""
    return a.shape == b.shape and not wrong_elements(a, b, rtol).any()


def wrong_elements(a: np.ndarray, b: np.ndarray, rtol: float = EXACT) -> np.ndarray:
    """A mask of the elements that differ."""
    finite = abs(b[np.isfinite(b)])
    return ~np.isclose(a, b, rtol=0, atol=rtol * max(finite.max(initial=0.0), SMALL), equal_nan=True)
