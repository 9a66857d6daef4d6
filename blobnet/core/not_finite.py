"""The first number of a net that is not finite: where a NaN or an infinity came from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from blobnet.backend import cut, share
from blobnet.core.blob import Blob
from blobnet.core.building_log import top_names
from blobnet.core.layer import Layer

if TYPE_CHECKING:
    from blobnet.core.net import Net

PIECE = 1 << 15  # elements that are summed at a time on the CPU


@dataclasses.dataclass(frozen=True)
class NotFinite:
    """layer: whose number it is; what: the blob in words; index: its place in the blob; value: nan, inf or -inf; note:
    what else a reader must know, such as layers that changed the blob in place afterwards.
    """

    layer: Layer
    what: str
    index: tuple[int, ...]
    value: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.value:g} at {self.index} of {self.what} of {self.layer.where}{self.note}"


def first_not_finite(net: Net, diffs: bool = True) -> NotFinite | None:
    """The first number of `net` that is not finite, as its passes computed them; None if there is none.

    Layers in forward order: the parameters of each, then its tops. Then, if `diffs`, in backward order: the diffs of
    its bottoms that are computed, then those of its parameters. A blob is seen as the last layer that works on it in
    place left it: the note names those layers.
    """
    for i, layer in enumerate(net.layers):
        for j, blob in enumerate(layer.blobs):
            found = _first(layer, f"parameter {j}", blob.data, " before this pass: from the last update, or the "
                           "weights given" if layer.param_propagate_down[j] else "")
            if found:
                return found
        for name, blob in zip(top_names(layer, net.tops[i]), net.tops[i], strict=True):
            itself = "" if layer.param.bottom else " itself: this layer has no bottoms, look at what it reads"
            found = _first(layer, f"top {name!r}", blob.data,
                           itself + _changed_in_place(net, blob, range(i + 1, len(net.layers))))
            if found:
                return found
    return _first_diff(net) if diffs else None


def all_finite(arrays: Iterable) -> bool:
    """Whether all numbers of `arrays`, of one device, are finite; on a GPU it waits for the device once."""
    arrays = [array.reshape(-1) for array in arrays]
    if all(isinstance(array, np.ndarray) for array in arrays):
        return all(_all_finite(array) for array in arrays)
    sums = [array.sum() for array in arrays]
    return bool(np.isfinite(float(sum(sums)))) or all(bool(abs(array).max() < np.inf) for array in arrays if array.size)


def _all_finite(array: np.ndarray) -> bool:
    if array.size <= PIECE:  # most parameters of deep nets
        return _finite(array)
    return all(share(lambda piece: _finite(array[piece]), cut(array.size, PIECE, PIECE)))


def _finite(piece: np.ndarray) -> bool:
    with np.errstate(all="ignore"):  # the sum itself may overflow, which proves nothing
        return math.isfinite(piece.sum()) or bool(np.isfinite(piece).all())


def _first_diff(net: Net) -> NotFinite | None:
    for i in range(len(net.layers) - 1, -1, -1):
        layer, node = net.layers[i], net.nodes[i]
        if not node.needs_backward:
            continue
        for name, blob, wanted in zip(layer.param.bottom, net.bottoms[i], node.bottom_needs_backward):
            note = ", where the gradients of its readers are added up" if layer.type == "Split" else ""
            found = wanted and _first(layer, f"the diff of bottom {name!r}", blob.diff,
                                      note + _changed_in_place(net, blob, range(i - 1, -1, -1)))
            if found:
                return found
        for j, (blob, wanted) in enumerate(zip(layer.blobs, layer.param_propagate_down)):
            found = wanted and _first(layer, f"the diff of parameter {j}", blob.diff)
            if found:
                return found
    return None


def _changed_in_place(net: Net, blob: Blob, positions: Iterable[int]) -> str:
    names = [layer.where for layer, bottoms, tops in _at(net, positions)
             if any(top is bottom is blob for bottom, top in zip(bottoms, tops))]
    return f", as {' and '.join(names)} left it, in place" if names else ""


def _at(net: Net, positions: Iterable[int]) -> Iterator:
    return ((net.layers[i], net.bottoms[i], net.tops[i]) for i in positions)


def _first(layer: Layer, what: str, array, note: str = "") -> NotFinite | None:
    if all_finite([array]):
        return None
    xp = layer.xp
    flat = array.reshape(-1)
    place = int(xp.argmin(xp.isfinite(flat)))
    index = tuple(int(i) for i in np.unravel_index(place, array.shape))
    return NotFinite(layer, what, index, float(flat[place]), note)
