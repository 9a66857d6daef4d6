"""Lists of one kind of items, as pycaffe has Caffe's vectors: StringVec, IntVec, DtypeVec, BoolVec and their base.

Vectors of blobs, layers and nets stand beside these.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import SupportsIndex


class Vector(list):
    """A list whose items are of the class `kind`; TypeError for others. A slice is a vector too."""

    kind: type = object

    def __init__(self, items: Iterable = ()):
        super().__init__(map(self._checked, items))

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return type(self)(found) if isinstance(index, slice) else found

    def __setitem__(self, index, value) -> None:
        super().__setitem__(index, map(self._checked, value) if isinstance(index, slice) else self._checked(value))

    def append(self, value) -> None:
        super().append(self._checked(value))

    def insert(self, index: SupportsIndex, value) -> None:
        super().insert(index, self._checked(value))

    def extend(self, items: Iterable) -> None:
        super().extend(list(map(self._checked, items)))

    def __iadd__(self, items: Iterable):  # type: ignore[misc]  # as list: of lists with items of any kind
        self.extend(items)
        return self

    def _checked(self, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{type(self).__name__} holds items of {self.kind.__name__}, got {value!r}")
        return value


class StringVec(Vector):
    """Names."""

    kind = str


class IntVec(Vector):
    """Whole numbers."""

    kind = Integral


class DtypeVec(Vector):
    """Real numbers."""

    kind = Real


class BoolVec(Vector):
    """True and False."""

    kind = bool
