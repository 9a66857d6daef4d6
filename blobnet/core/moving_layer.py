"""MovingLayer: the base class of layers that compute nothing and only move or copy numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.terms import Factor, Place, Terms, index_of


class MovingLayer(Layer):
    """A layer of which every number of a top is one number of a bottom, or 0.

    Where the numbers go depends on shapes and on `unforced_bottoms` alone; backward adds up the diffs of the copies.
    """

    def terms(self, place, bottom, top):
        moved = [i for i in range(len(bottom)) if i not in self.unforced_bottoms]
        if sum(bottom[i].count for i in moved) >= 2 ** np.finfo(self.dtype).nmant:
            return super().terms(place, bottom, top)  # the type cannot count so many numbers
        starts = np.cumsum([1, *(bottom[i].count for i in moved)])
        origins = self._origins(bottom, top, moved, starts)
        if place.kind == "top":
            return _of_top(place, bottom, moved, starts, int(origins[place.number][place.index]))
        if place.number not in moved:
            return Terms(place, [], "its numbers do not go on")
        own = starts[moved.index(place.number)] + int(np.ravel_multi_index(place.index, bottom[place.number].shape))
        return _of_bottom(place, top, origins, own)

    def _origins(self, bottom: Sequence[Blob], top: Sequence[Blob], moved: Sequence[int],
                 starts: np.ndarray) -> list[np.ndarray]:
        """For each number of the tops which one of the bottoms it is: those of the i-th of `moved` count from starts[i]
        on. 0: none."""
        kept = [bottom[i].data.copy() for i in moved]
        try:
            for i, start in zip(moved, starts):
                data = bottom[i].data
                data[...] = self.xp.arange(start, start + data.size).reshape(data.shape)
            self.forward(bottom, top)
            return [to_host(blob.data).copy() for blob in top]
        finally:
            for i, data in zip(moved, kept):
                bottom[i].data[...] = data
            self.forward(bottom, top)


def _of_top(place: Place, bottom: Sequence[Blob], moved: Sequence[int], starts: np.ndarray, origin: int) -> Terms:
    if origin == 0:
        return Terms(place, [], "0, for nothing lies here")
    which = int(np.searchsorted(starts, origin, "right")) - 1
    blob = bottom[moved[which]]
    source = Place("bottom", moved[which], "data", index_of(origin - starts[which], blob.shape))
    return Terms(place, [(Factor(float(blob.data[source.index]), source),)], "the same number, moved")


def _of_bottom(place: Place, top: Sequence[Blob], origins: Sequence[np.ndarray], own: int) -> Terms:
    found = [Place("top", i, "diff", tuple(map(int, index))) for i, origin in enumerate(origins)
             for index in np.argwhere(origin == own)]
    words = {0: "this number went nowhere", 1: "the diff of the same number"}.get(len(found), "the diffs of its copies")
    return Terms(place, [(Factor(float(top[at.number].diff[at.index]), at),) for at in found], words)
