"""The first number of a net that is not finite: where a NaN or an infinity came from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np

from blobnet.backend import cut, share
from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.node import Node

PIECE = 1 << 17  # elements that are summed at a time on the CPU


@dataclasses.dataclass(frozen=True)
class NotFinite:
    """A number that is not finite. layer: the layer that it belongs to; what: the blob in words, and `blob` itself;
    index: the place in the blob; value: nan, inf or -inf; note: what else a reader must know, such as the layers that
    changed the blob in place afterwards.
    """

    layer: Layer
    what: str
    blob: Blob
    index: tuple[int, ...]
    value: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.value:g} at {self.index} of {self.what} of {self.layer.where}{self.note}"

    def after(self, later: Iterable[Node]) -> NotFinite:
        """The same, noting which of the layers that ran later work on the blob in place."""
        names = [node.layer.where for node in later
                 if any(top is bottom is self.blob for bottom, top in zip(node.bottoms, node.tops))]
        note = f", as {' and '.join(names)} left it, in place" if names else ""
        return dataclasses.replace(self, note=self.note + note)


def first_not_finite(nodes: Sequence[Node], diffs: bool = True) -> NotFinite | None:
    """The first number that is not finite in a net of these `nodes`, as its passes computed them, or None.

    Layers in forward order: the parameters of each, then its tops. Then, if `diffs`, in backward order: the diffs of
    its bottoms that are computed, then those of its parameters. A blob is seen as the last layer that works on it in
    place left it: the note names those layers.
    """
    for i, node in enumerate(nodes):
        found = not_finite_forward(node)
        if found:
            return found.after(nodes[i + 1:])
    for i, node in reversed(list(enumerate(nodes))) if diffs else ():
        found = not_finite_backward(node)
        if found:
            return found.after(nodes[:i][::-1])
    return None


def not_finite_forward(node: Node) -> NotFinite | None:
    """The first number that is not finite in the parameters of a layer, then in its tops, or None."""
    layer, found = node.layer, None
    for i, blob in enumerate(layer.blobs):
        note = " before this pass: from the last update, or the weights given" if layer.param_propagate_down[i] else ""
        found = found or _first(layer, f"parameter {i}", blob, blob.data, note)
    note = "" if node.bottoms else " itself: this layer has no bottoms, look at what it reads"
    for name, blob in zip(node.top_names, node.tops, strict=True):
        found = found or _first(layer, f"top {name!r}", blob, blob.data, note)
    return found


def not_finite_backward(node: Node) -> NotFinite | None:
    """The same of the diffs that a layer writes backward: those of its bottoms, then those of its parameters."""
    layer, found = node.layer, None
    if not node.needs_backward:
        return None
    note = ", where the gradients of its readers are added up" if layer.is_split else ""
    for name, blob, wanted in zip(node.bottom_names, node.bottoms, node.bottom_needs_backward):
        if wanted:
            found = found or _first(layer, f"the diff of bottom {name!r}", blob, blob.diff, note)
    for i, (blob, wanted) in enumerate(zip(layer.blobs, layer.param_propagate_down)):
        if wanted:
            found = found or _first(layer, f"the diff of parameter {i}", blob, blob.diff)
    return found


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
    """Whether all numbers of `piece` are finite. A sum that overflows proves nothing, so then each one is asked."""
    with np.errstate(all="ignore"):
        return math.isfinite(piece.sum()) or bool(np.isfinite(piece).all())


def _first(layer: Layer, what: str, blob: Blob, array, note: str = "") -> NotFinite | None:
    if all_finite([array]):
        return None
    xp = layer.xp
    flat = array.reshape(-1)
    place = int(xp.argmin(xp.isfinite(flat)))
    index = tuple(int(i) for i in np.unravel_index(place, array.shape))
    return NotFinite(layer, what, blob, index, float(flat[place]), note)
